import type { CheckResult, Facts, IncomingArtifact } from '../../engine.ts';
import { factsOfPart, uniteFacts } from '../../part-facts.ts';
import { readDump } from '../dump/read-dump.ts';

/** Reads every dump of a target without a server. Throws `integrity` for the first that is damaged. */
export async function checkDatabases(artifacts: readonly IncomingArtifact[]): Promise<CheckResult> {
  const all: Facts[] = [];
  for (const artifact of artifacts) {
    const facts = await readDump(artifact);
    all.push(artifact.name === '' ? facts : factsOfPart(facts, artifact.name));
  }
  return { facts: uniteFacts(all) };
}
