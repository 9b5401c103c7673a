import { targetError } from '../errors.ts';
import type { Engine } from './engine.ts';
import { readWhole } from './read-whole.ts';
import { captureBucket, probeBucket } from './s3/capture.ts';
import { inspectBucket } from './s3/destination.ts';
import { readArchive } from './s3/read-archive.ts';
import { restoreBucket, singleArchive } from './s3/restore.ts';
import { shellQuote } from './shell-quote.ts';

/** Buckets of S3-compatible stores: every object with its metadata, in one tar. */
export const s3: Engine<'s3'> = {
  type: 's3',
  capabilities: {
    modes: ['new', 'replace', 'merge'],
    sqlChecks: false,
    paths: false,
    pathsWithin: false,
    noOwner: false,
    safetyBeforeMerge: false,
    local: false,
    tools: [],
    formats: ['s3-tar'],
  },

  probe: (target, context) => probeBucket(target, context),
  capture: (target, context) => captureBucket(target, context),

  check: async (artifacts) => ({ facts: await readWhole(singleArchive(artifacts), readArchive()) }),

  inspectDestination: (destination, context) => inspectBucket(destination, context),
  restore: (request, context) => restoreBucket(request, context),

  nativeRestore({ bucket, prefix, endpoint }, { decode }) {
    const place = shellQuote(`s3://${[bucket, prefix ?? ''].filter(Boolean).join('/')}`);
    const at = endpoint === undefined ? '' : ` --endpoint-url ${shellQuote(endpoint)}`;
    return `mkdir objects && ${decode} | tar -x -C objects -f - && aws${at} s3 sync objects ${place} --exclude '.bkp-*'`;
  },

  // Objects are written over where they stand: nothing is ever set aside.
  setAsideExists: async () => false,
  removeSetAside: async (old) => {
    throw targetError(`cannot remove ${old.reference}: no restore of a bucket sets anything aside`);
  },
};
