import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../context.ts';
import { throwIfAborted } from '../../errors.ts';
import { asProblem } from '../as-problem.ts';
import type { Capture, OutgoingArtifact, Probe } from '../engine.ts';
import { openBucket, type S3Target } from './bucket.ts';
import { listBucket } from './list-bucket.ts';
import { MIRROR } from './mirror-archive.ts';
import { mirrorObjects } from './mirror-objects.ts';
import { packObjects } from './pack-objects.ts';
import { readArchive } from './read-archive.ts';
import { readList } from './read-list.ts';

const MOST_NAMED = 5;

/** Looks whether the bucket can be listed. */
export async function probeBucket(target: S3Target, context: Context): Promise<Probe> {
  const versions = { server: null, tool: null };
  try {
    for await (const _ of listBucket(openBucket(target, context), context.signal)) break;
    return { versions, estimatedBytes: null, problems: [], warnings: [] };
  } catch (error) {
    throwIfAborted(context.signal);
    return { versions, estimatedBytes: null, problems: [asProblem(error)], warnings: [] };
  }
}

/** Every object of a bucket, read while others may write to it: each one is whole, all of them are not from one moment. */
export async function captureBucket(target: S3Target, context: Context): Promise<Capture> {
  const store = openBucket(target, context);
  // What is wrong with the bucket is told before anything is stored.
  for await (const _ of listBucket(store, context.signal)) break;
  const start = context.clock.now();
  const folder = await mkdtemp(join(context.workDir, 's3-'));
  const gone: string[] = [];
  const onGone = (name: string): void => void gone.push(name);
  const asksForTags = target.tagChanges ?? true;
  const archive: OutgoingArtifact = {
    name: '',
    extension: 'tar',
    format: 's3-tar',
    source: { kind: 'stream', open: () => packObjects(store, { scratch: join(folder, 'metadata'), onGone }, context) },
    estimatedBytes: null,
    inspect: { open: () => readArchive() },
  };
  const mirror: OutgoingArtifact = {
    name: '',
    extension: 'files.ndjson',
    format: MIRROR,
    source: { kind: 'folder', open: (into) => mirrorObjects(store, into, { onGone, asksForTags }, context) },
    estimatedBytes: null,
    inspect: { open: () => readList() },
  };
  return {
    artifacts: [target.method === 'mirror' ? mirror : archive],
    get pointInTime() {
      return [start, context.clock.now()] as const;
    },
    versions: { server: null, tool: null },
    get warnings() {
      if (gone.length === 0) return [];
      const named = gone.slice(0, MOST_NAMED).map((name) => JSON.stringify(name));
      const more = gone.length > MOST_NAMED ? ` and ${gone.length - MOST_NAMED} more` : '';
      return [`removed while the bucket was read, and not in the snapshot: ${named.join(', ')}${more}`];
    },
    facts: async () => ({}),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
