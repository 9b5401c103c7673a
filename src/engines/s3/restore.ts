import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../context.ts';
import { BkpError, guardError, integrityError, throwIfAborted } from '../../errors.ts';
import { createPartBuffers } from '../../s3/part-buffers.ts';
import { removeObject } from '../../s3/remove-object.ts';
import { sendBytes } from '../../s3/send-bytes.ts';
import type { Store } from '../../s3/store.ts';
import type { Facts, IncomingArtifact, RestoreOutcome, RestoreRequest } from '../engine.ts';
import { readWhole } from '../read-whole.ts';
import { factsDifference } from '../facts-difference.ts';
import { openBucket, RESTORING, type S3Target } from './bucket.ts';
import { listBucket } from './list-bucket.ts';
import { isThere, putObject } from './put-object.ts';
import { readArchive } from './read-archive.ts';
import { removeListed, removeOthers } from './remove-objects.ts';
import { unpackObjects } from './unpack-objects.ts';

type Request = RestoreRequest<S3Target>;

/** The one archive of a bucket. */
export function singleArchive(artifacts: readonly IncomingArtifact[]): IncomingArtifact {
  const [artifact] = artifacts;
  if (artifact === undefined || artifacts.length > 1 || artifact.format !== 's3-tar')
    throw integrityError('cannot read the snapshot: it does not hold exactly one archive of objects');
  return artifact;
}

/**
 * Reads the archive twice: to the end before anything is written, then to write it. Objects that are there and in the
 * archive are written over, others removed last; in mode `merge` what is there stays as it is.
 */
export async function restoreBucket(request: Request, context: Context): Promise<RestoreOutcome> {
  const artifact = singleArchive(request.artifacts);
  const store = openBucket(request.destination, context);
  const folder = await mkdtemp(join(context.workDir, 's3-'));
  try {
    const metadata = join(folder, 'metadata');
    const facts = await checkArchive(artifact, metadata);
    assertSame('the archive', request.expectedFacts, facts);
    throwIfAborted(context.signal);
    if (request.mode === 'merge') return await merge(store, artifact, metadata, context);
    if (request.mode === 'new') await fillEmpty(store, artifact, { metadata, facts, request }, context);
    else await replaceAll(store, artifact, { metadata, facts }, context);
    return { facts, keptOld: [], restored: facts, conflicts: [], warnings: [] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Reads an archive to its end and keeps its metadata entry in a new file. */
async function checkArchive(artifact: IncomingArtifact, metadata: string): Promise<Facts> {
  const file = openSync(metadata, 'wx', 0o600);
  try {
    return await readWhole(
      artifact,
      readArchive((chunk) => writeSync(file, chunk)),
    );
  } finally {
    closeSync(file);
  }
}

/** Writes over what is there, then removes the rest. What stops it half-way is told with what can be done. */
async function replaceAll(
  store: Store,
  artifact: IncomingArtifact,
  { metadata, facts }: Pick<Filling, 'metadata' | 'facts'>,
  context: Context,
): Promise<void> {
  try {
    await write(store, artifact, metadata, context);
    await removeOthers(store, metadata, context);
    await removeObject(store, RESTORING);
  } catch (error) {
    if (!(error instanceof BkpError)) throw error;
    const hint = `${store.location} holds objects of both states now: restore again, or bring the safety snapshot back`;
    throw new BkpError(error.code, error.message, { hint, cause: error });
  }
  await compare(store, facts, context);
}

interface Filling {
  readonly metadata: string;
  readonly facts: Facts;
  readonly request: Request;
}

/** Writes into an empty place, which is empty again after a failure. */
async function fillEmpty(
  store: Store,
  artifact: IncomingArtifact,
  { metadata, facts, request }: Filling,
  context: Context,
): Promise<void> {
  if (await isThere(store, RESTORING)) await removeListed(store, metadata);
  for await (const { name } of listBucket(store, context.signal))
    throw guardError(`cannot restore to ${store.location}: it holds objects, ${JSON.stringify(name)} for one`, {
      hint: '`--mode replace` or `--mode merge`, or another place with `--into`',
    });
  await sendBytes(store, markOf(), Buffer.from(`${request.snapshot}\n`));
  try {
    await write(store, artifact, metadata, context);
    await compare(store, facts, context);
  } catch (error) {
    await removeListed(store, metadata);
    await removeObject(store, RESTORING);
    throw error;
  }
  await removeObject(store, RESTORING);
}

const markOf = (): Parameters<typeof sendBytes>[1] => ({
  key: RESTORING,
  headers: { ContentType: 'text/plain' },
  whose: () => 'unknown',
  confirm: async () => undefined,
});

async function write(store: Store, artifact: IncomingArtifact, metadata: string, context: Context): Promise<void> {
  const buffers = createPartBuffers();
  await artifact.into({
    kind: 'reader',
    read: (raw) =>
      unpackObjects(raw, metadata, async (record, content) => {
        throwIfAborted(context.signal);
        await putObject(store, buffers, record, content, { keepsOthers: false });
      }),
  });
}

async function merge(
  store: Store,
  artifact: IncomingArtifact,
  metadata: string,
  context: Context,
): Promise<RestoreOutcome> {
  const buffers = createPartBuffers();
  let objects = 0;
  await artifact.into({
    kind: 'reader',
    read: (raw) =>
      unpackObjects(raw, metadata, async (record, content) => {
        throwIfAborted(context.signal);
        if (await isThere(store, record.key)) {
          if (!Buffer.isBuffer(content)) content.resume();
          return;
        }
        if (await putObject(store, buffers, record, content, { keepsOthers: true })) objects++;
      }),
  });
  return { facts: null, keptOld: [], restored: { objects }, conflicts: [], warnings: [] };
}

/** Counts what is there now. */
async function compare(store: Store, expected: Facts, context: Context): Promise<void> {
  let [objects, bytes] = [0, 0];
  for await (const object of listBucket(store, context.signal)) {
    objects++;
    bytes += object.bytes;
  }
  assertSame(store.location, expected, { objects, bytes });
}

function assertSame(what: string, expected: Facts | null, found: Facts): void {
  if (expected === null) return;
  const [difference] = factsDifference(expected, found);
  if (difference !== undefined)
    throw integrityError(`cannot trust ${what}: ${difference}`, { hint: 'the snapshot remains; see what wrote there' });
}
