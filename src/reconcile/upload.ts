import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Context } from '../context.ts';
import type { Engine, IncomingArtifact, OutgoingArtifact } from '../engines/engine.ts';
import { engineOf } from '../engines/registry.ts';
import { BkpError, integrityError, targetError, usageError } from '../errors.ts';
import type { ResolvedBackup, ResolvedTarget } from '../policy/resolved-policy.ts';
import type { Repository } from '../repositories/repository.ts';
import type { Lease } from '../snapshots/held-lease.ts';
import { MANIFEST_FORMAT, type Manifest, type ManifestArtifact } from '../snapshots/manifest.ts';
import { cleanRemains } from '../snapshots/remove-remains.ts';
import { beginSnapshot } from '../snapshots/snapshot-draft.ts';
import { openArtifact, openNativeFile } from '../streams/open-artifact.ts';
import type { ByteSource } from '../streams/bytes.ts';
import { storeArtifact } from '../streams/store-artifact.ts';
import { definitionDigest, definitionsOf } from './definition.ts';
import { encryptableKey } from './encryptable-key.ts';
import { encryptionFor } from './encryption-of.ts';
import { nativeCommand } from './native-command.ts';
import { sealManifest } from './seal-manifest.ts';
import { stoppable, type Session } from './session.ts';
import { takeLease } from './take-lease.ts';
import { compressorThreads } from './threads.ts';

export interface UploadInput {
  readonly backup: ResolvedBackup;
  readonly target: ResolvedTarget;
  /** A dump made elsewhere, in the engine's native format. */
  readonly file: string;
  /** When it was made; default the time of the file. */
  readonly takenAt: Date | undefined;
  readonly repository: Repository;
  readonly lockTimeoutMs: number;
}

/** Clocks of the machine that made a dump and of the store may be this far apart. */
const SKEW_MS = 5 * 60_000;

/** When a dump was taken, never after now; undefined where no clock explains it. */
const notAfter = (now: Date, takenAt: Date): Date | undefined =>
  takenAt <= now ? takenAt : takenAt.getTime() - now.getTime() <= SKEW_MS ? now : undefined;

/**
 * Adopts a dump made elsewhere: stored like a capture, read whole by the engine, and committed as a snapshot of kind
 * `adopted` only when the engine finds nothing wrong. It satisfies no schedule tick and is never `latest`.
 */
export async function uploadSnapshot(session: Session, input: UploadInput): Promise<Manifest> {
  const { backup, repository } = input;
  const stats = await stat(input.file).catch(() => undefined);
  if (stats === undefined || !stats.isFile()) throw usageError(`cannot upload ${input.file}: there is no such file`);
  if (stats.size === 0) throw targetError(`cannot upload ${input.file}: it is empty`);
  const takenAt = notAfter(session.context.clock.now(), input.takenAt ?? stats.mtime);
  if (takenAt === undefined) throw usageError(`cannot upload ${input.file}: it would be from the future`);
  const id = session.newId(takenAt);
  const run = session.newId(session.context.clock.now());
  const request = { backup: backup.name, purpose: 'upload', run, waitMs: input.lockTimeoutMs };
  const lease = await takeLease(session, repository, request);
  try {
    return await adopt(session, input, { id, takenAt, lease, bytes: stats.size, modifiedMs: stats.mtimeMs });
  } finally {
    await lease.release().catch(() => undefined);
  }
}

interface Adoption {
  readonly id: string;
  readonly takenAt: Date;
  readonly lease: Lease;
  readonly bytes: number;
  readonly modifiedMs: number;
}

async function adopt(session: Session, input: UploadInput, adoption: Adoption): Promise<Manifest> {
  const { id, takenAt, lease, bytes, modifiedMs } = adoption;
  const { backup, target, file, repository } = input;
  const context = stoppable(session);
  const name = { backup: backup.name, id };
  const encryption = encryptionFor(session, backup, repository);
  const draft = await beginSnapshot(repository, { ...name, policy: session.policy.name }, lease, session.context);
  try {
    const engine = engineOf(target.config.type);
    const artifact: OutgoingArtifact & { readonly source: ByteSource } = {
      name: '',
      extension: extname(file).slice(1) || 'dump',
      format: engine.adoptedFormat?.(target.config) ?? engine.capabilities.formats[0] ?? target.config.type,
      source: { kind: 'file', path: file },
      estimatedBytes: bytes,
    };
    const compression = target.compression.method === 'none' ? null : target.compression.method;
    const { extension } = artifact;
    const key = encryptableKey({ target: target.name, name: '', extension, compression }, 0, encryption);
    const repositoryKey = await draft.addKey(key);
    const stored = await storeArtifact(
      {
        artifact,
        compression: target.compression,
        recipients: encryption?.recipients,
        threads: compressorThreads(context.host.cpus, 1),
        repository,
        key: repositoryKey,
      },
      context,
    );
    const described: ManifestArtifact = {
      key,
      name: '',
      format: artifact.format,
      compression,
      encryption: encryption === null ? null : 'age',
      rawBytes: stored.rawBytes,
      storedBytes: stored.storedBytes,
      storedSha256: stored.storedSha256,
    };
    // A runner that encrypts cannot read what it stored: then the engine reads the file that was stored.
    const readable =
      encryption === null
        ? openArtifact(described, { repository, key: repositoryKey }, context)
        : await openNativeFile(file, artifact.format, context);
    const { facts } = await checkDump(engine, input, readable, context);
    if ((await stat(file)).mtimeMs !== modifiedMs)
      throw integrityError(`cannot upload ${file}: it changed while it was read`);
    const manifest: Manifest = {
      formatVersion: MANIFEST_FORMAT,
      policy: session.policy.name,
      ...name,
      kind: 'adopted',
      status: 'created',
      tick: null,
      startedAt: takenAt.toISOString(),
      finishedAt: session.context.clock.now().toISOString(),
      tool: { bkp: session.bkpVersion },
      definitionSha256: definitionDigest(definitionsOf({ targets: [target] })),
      protect: backup.protect,
      targets: {
        [target.name]: {
          type: target.config.type,
          status: 'captured',
          error: null,
          pointInTime: [takenAt.toISOString(), takenAt.toISOString()],
          versions: { server: null, tool: null },
          definition: target.definition,
          facts,
          warnings: [],
          checks: [],
          artifacts: [described],
          restore: [nativeCommand({ engine, target, config: target.config }, described)],
        },
      },
      policyFiles: session.policy.files,
    };
    await draft.commit(await sealManifest(manifest, encryption, context));
    return manifest;
  } catch (error) {
    await cleanRemains(repository, { ...name, policyNames: [session.policy.name] }, lease, session.context).catch(
      () => undefined,
    );
    throw error;
  }
}

/** The engine reads the whole dump; what it finds wrong is wrong with the file that was given. */
async function checkDump(
  engine: Engine,
  { file, target }: UploadInput,
  artifact: IncomingArtifact,
  context: Context,
): ReturnType<Engine['check']> {
  try {
    return await engine.check([artifact], context, target.config);
  } catch (error) {
    if (!(error instanceof BkpError) || error.code !== 'integrity') throw error;
    const reason = error.message.replace(/^cannot [^:]*: /, '');
    throw integrityError(`cannot upload ${file} to ${target.name}: ${reason}`, {
      hint: 'nothing of it was kept',
      cause: error,
    });
  }
}
