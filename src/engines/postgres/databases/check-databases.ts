import type { Context } from '../../../context.ts';
import type { CheckResult, Definition, Facts, IncomingArtifact } from '../../engine.ts';
import { factsOfPart, uniteFacts } from '../../part-facts.ts';
import { checkPostgres } from '../script/check.ts';
import { openToolFinder } from '../server/tools.ts';
import { globalsFacts, GLOBALS_FORMAT, readGlobals } from './globals.ts';

/** Decodes every artifact of a target without a server. Throws `integrity` for the first that is damaged. */
export async function checkDatabases(
  artifacts: readonly IncomingArtifact[],
  context: Context,
  definition: Definition,
): Promise<CheckResult> {
  const folder = 'tools' in definition && typeof definition.tools === 'string' ? { tools: definition.tools } : {};
  const tools = openToolFinder(folder, context);
  const all: Facts[] = [];
  for (const artifact of artifacts) {
    if (artifact.format === GLOBALS_FORMAT) all.push(globalsFacts(await readGlobals(artifact)));
    else {
      const { facts } = await checkPostgres([artifact], tools, context);
      all.push(artifact.name === '' ? facts : factsOfPart(facts, artifact.name));
    }
  }
  return { facts: uniteFacts(all) };
}
