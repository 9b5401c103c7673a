import { join } from 'node:path';
import type { Context } from '../../../context.ts';
import { toolError } from '../../../errors.ts';
import type { ToolNeed } from '../../engine.ts';
import type { MongodbTarget } from './uri.ts';

export type MongoTool = 'mongodump' | 'mongorestore';

export interface FoundTool {
  readonly program: string;
  /** Null where it was built without one. */
  readonly version: string | null;
}

const HINT = 'install the MongoDB Database Tools, or name their folder under `tools`';

const need = (tool: MongoTool): ToolNeed => ({
  tool,
  versionArgv: [tool, '--version'],
  debianPackage: 'mongodb-database-tools',
  homebrewPackage: 'mongodb-database-tools',
});

export const MONGO_TOOLS: readonly ToolNeed[] = [need('mongodump'), need('mongorestore')];

/** The same in the folder that a target names. */
export const neededTools = ({ tools: only }: MongodbTarget): readonly ToolNeed[] =>
  only === undefined ? MONGO_TOOLS : MONGO_TOOLS.map((tool) => ({ ...tool, only }));

/** Finds one of the programs. Throws `tool` where it is missing or does not run. */
export async function findMongoTool(
  tool: MongoTool,
  { tools: folder }: Pick<MongodbTarget, 'tools'>,
  context: Context,
): Promise<FoundTool> {
  const program = context.findTool(folder === undefined ? tool : join(folder, tool));
  if (program === undefined) throw toolError(`cannot run ${tool}: no such program`, { hint: HINT });
  const { stdout, exitCode } = await context.run({ argv: [program, '--version'] });
  if (exitCode !== 0) throw toolError(`cannot run ${tool}: it ends with exit code ${exitCode}`, { hint: HINT });
  return { program, version: /version: (\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1] ?? null };
}
