import { join } from 'node:path';
import type { Context } from '../../../context.ts';
import { toolError } from '../../../errors.ts';
import type { PostgresTarget } from './connection.ts';

export type PostgresTool = 'pg_dump' | 'pg_dumpall' | 'pg_restore';

/** One program of a version that fits. */
export interface FoundTool {
  /** Absolute path, or a name on PATH. */
  readonly program: string;
  readonly major: number;
  /** `15.18`. */
  readonly version: string;
}

const [OLDEST, NEWEST] = [12, 30];

/** Where distributions put the programs of one major version. */
const foldersOf = (major: number): readonly string[] => [
  `/usr/lib/postgresql/${major}/bin`,
  `/usr/pgsql-${major}/bin`,
  `/usr/libexec/postgresql${major}`,
  `/opt/homebrew/opt/postgresql@${major}/bin`,
  `/usr/local/opt/postgresql@${major}/bin`,
];

/** The same of all versions, newest first. */
export const TOOL_FOLDERS: readonly string[] = Array.from(
  { length: NEWEST - OLDEST + 1 },
  (_, index) => NEWEST - index,
).flatMap(foldersOf);

/** Finds the programs of one run, in a target's folder or on this machine. Each is asked for its version once. */
export interface ToolFinder {
  /**
   * The tool of the server's own major version, else the lowest newer one: an older one refuses the server, and what a
   * newer one writes an older server may not read. Throws `tool` where none fits.
   */
  fitting(tool: PostgresTool, serverMajor: number): Promise<FoundTool>;
  /** The newest one, in the folder or elsewhere: it reads what every older one wrote. Throws `tool` where there is none. */
  newest(tool: PostgresTool): Promise<FoundTool>;
}

/** For one run only: what is installed may change until the next. */
export function openToolFinder({ tools: folder }: Pick<PostgresTarget, 'tools'>, context: Context): ToolFinder {
  const known = new Map<string, Promise<readonly FoundTool[]>>();
  const installed = (tool: PostgresTool, inFolder: string | undefined): Promise<readonly FoundTool[]> => {
    const key = JSON.stringify([tool, inFolder]);
    const found = known.get(key) ?? installedTools(tool, inFolder, context);
    known.set(key, found);
    return found;
  };
  return {
    async fitting(tool, serverMajor) {
      const found = await installed(tool, folder);
      const fitting = found.find(({ major }) => major >= serverMajor);
      if (fitting !== undefined) return fitting;
      const newest = found.at(-1);
      const reason =
        newest === undefined ? 'no such program' : `${newest.version} is too old for a server of ${serverMajor}`;
      throw toolError(`cannot run ${tool}: ${reason}`, {
        hint: `install postgresql-client-${serverMajor}, or name its folder under \`tools\``,
      });
    },
    async newest(tool) {
      const inFolder = folder === undefined ? [] : await installed(tool, folder);
      const found = [...inFolder, ...(await installed(tool, undefined))];
      const newest = found.toSorted((a, b) => a.major - b.major).at(-1);
      if (newest !== undefined) return newest;
      throw toolError(`cannot run ${tool}: no such program`, { hint: 'install postgresql-client' });
    },
  };
}

/** Oldest first. */
async function installedTools(
  tool: PostgresTool,
  folder: string | undefined,
  context: Context,
): Promise<readonly FoundTool[]> {
  const places = folder === undefined ? [tool, ...TOOL_FOLDERS.map((one) => join(one, tool))] : [join(folder, tool)];
  const found: FoundTool[] = [];
  for (const place of places) {
    const program = context.findTool(place);
    if (program === undefined) continue;
    const { stdout, exitCode } = await context.run({ argv: [program, '--version'] });
    const version = /\(PostgreSQL\) (\d+)(?:\.\d+)?\S*/.exec(stdout);
    if (exitCode !== 0 || version === null) continue;
    found.push({ program, major: Number(version[1]), version: version[0].replace('(PostgreSQL) ', '') });
  }
  return found.toSorted((a, b) => a.major - b.major);
}
