import type { CheckResult, IncomingArtifact } from '../engine.ts';
import { onlyArchive, readArchive } from './archive/read-archive.ts';

/** Reads a whole archive without a server: `mongorestore --dryRun` would look at its first bytes only. */
export const checkMongodb = async (artifacts: readonly IncomingArtifact[]): Promise<CheckResult> => ({
  facts: await readArchive(onlyArchive(artifacts)),
});
