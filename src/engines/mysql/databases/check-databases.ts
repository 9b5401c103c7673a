import type { CheckResult, Facts, IncomingArtifact } from '../../engine.ts';
import { factsOfPart, uniteFacts } from '../../part-facts.ts';
import { readUsers, USERS_FORMAT, usersFacts } from '../users/users-script.ts';
import { readDump } from '../dump/read-dump.ts';

/** Reads every dump of a target without a server. Throws `integrity` for the first that is damaged. */
export async function checkDatabases(artifacts: readonly IncomingArtifact[]): Promise<CheckResult> {
  const all: Facts[] = [];
  for (const artifact of artifacts) {
    if (artifact.format === USERS_FORMAT) {
      all.push(usersFacts(await readUsers(artifact)));
      continue;
    }
    const facts = await readDump(artifact);
    all.push(artifact.name === '' ? facts : factsOfPart(facts, artifact.name));
  }
  return { facts: uniteFacts(all) };
}
