import type { Context } from '../../context.ts';
import { integrityError } from '../../errors.ts';
import type { CheckResult, Engine, IncomingArtifact } from '../engine.ts';
import { captureFiles } from './capture.ts';
import { inspectFilesDestination } from './destination.ts';
import { nativeRestore } from './native-restore.ts';
import { probeFiles } from './probe.ts';
import { readArchive } from './read-archive.ts';
import { restoreFiles } from './restore.ts';
import { removeSetAside, setAsideExists } from './set-aside.ts';
import { TAR } from './tar-program.ts';
import type { TreeFacts } from './tree-counter.ts';

/** Files and folders, moved by the system's tar in pax format. */
export const files: Engine<'files'> = {
  type: 'files',
  capabilities: {
    modes: ['new', 'replace', 'merge'],
    sqlChecks: false,
    paths: true,
    pathsWithin: false,
    noOwner: false,
    safetyBeforeMerge: true,
    local: true,
    formats: ['tar-pax'],
    tools: [TAR],
  },
  probe: probeFiles,
  capture: captureFiles,
  check: checkFiles,
  inspectDestination: inspectFilesDestination,
  restore: restoreFiles,
  nativeRestore,
  setAsideExists: (old) => Promise.resolve(setAsideExists(old)),
  removeSetAside,
};

async function checkFiles(artifacts: readonly IncomingArtifact[], _context: Context): Promise<CheckResult> {
  const facts: TreeFacts[] = [];
  for (const artifact of artifacts) {
    await artifact.into({
      kind: 'reader',
      read: async (raw) => {
        facts.push((await readArchive(raw)).facts);
      },
    });
  }
  const [only] = facts;
  if (only !== undefined && facts.length === 1) return { facts: only };
  throw integrityError(`cannot check: a snapshot of files has one archive, this one has ${facts.length}`);
}
