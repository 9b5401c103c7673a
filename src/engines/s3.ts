import { targetError } from '../errors.ts';
import type { Engine } from './engine.ts';
import { readWhole } from './read-whole.ts';
import { captureBucket, probeBucket } from './s3/capture.ts';
import { inspectBucket } from './s3/destination.ts';
import { asArchives, MIRROR } from './s3/mirror-archive.ts';
import { readArchive } from './s3/read-archive.ts';
import { restoreBucket, singleArchive } from './s3/restore.ts';
import { shellQuote } from './shell-quote.ts';

/** Copies every object of a list from one place to the other; the rest of its arguments is for the AWS program. */
const COPY_LISTED =
  'import json, subprocess, sys; here, there, *more = sys.argv[1:]; ' +
  '[subprocess.run(["aws", *more, "s3", "cp", here + o["entry"], there + o["key"]], check=True) ' +
  'for o in map(json.loads, sys.stdin) if "entry" in o]';

/** Buckets of S3-compatible stores: every object with its metadata, in one tar or each by itself. */
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
    formats: ['s3-tar', MIRROR],
  },

  probe: (target, context) => probeBucket(target, context),
  capture: (target, context) => captureBucket(target, context),

  check: async (artifacts, context) => ({
    facts: await readWhole(singleArchive(asArchives(artifacts, context)), readArchive()),
  }),

  inspectDestination: (destination, context) => inspectBucket(destination, context),
  restore: (request, context) =>
    restoreBucket({ ...request, artifacts: asArchives(request.artifacts, context) }, context),

  listsFiles: ({ method }) => method === 'mirror',

  nativeRestore({ bucket, prefix, endpoint }, { decode, format, file }) {
    const url = `s3://${[bucket, prefix ?? ''].filter(Boolean).join('/')}`;
    const place = shellQuote(url);
    const at = endpoint === undefined ? '' : ` --endpoint-url ${shellQuote(endpoint)}`;
    if (format === MIRROR) {
      const objects = shellQuote(file.replace(/\.files\.ndjson(?:\.\w+)?$/, '/'));
      return `${decode} | python3 -c '${COPY_LISTED}' ${objects} ${shellQuote(`${url}/`)}${at}`;
    }
    return `mkdir objects && ${decode} | tar -x -C objects -f - && aws${at} s3 sync objects ${place} --exclude '.bkp-*'`;
  },

  // Objects are written over where they stand: nothing is ever set aside.
  setAsideExists: async () => false,
  removeSetAside: async (old) => {
    throw targetError(`cannot remove ${old.reference}: no restore of a bucket sets anything aside`);
  },
};
