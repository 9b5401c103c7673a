import { join } from 'node:path';
import type { Context } from '../../../context.ts';
import { toolError } from '../../../errors.ts';
import type { MysqlTarget } from './connection.ts';
import { familyName, type Family, isOlder } from './server.ts';

/** One program of a family. */
export interface FoundTool {
  /** Absolute path. */
  readonly program: string;
  readonly family: Family;
  /** `10.11.19`. */
  readonly version: string;
}

export type Purpose = 'dump' | 'client';

/** Names of both families: what Debian calls mysqldump is MariaDB's. */
const NAMES: Readonly<Record<Purpose, Readonly<Record<Family, readonly string[]>>>> = {
  dump: { mysql: ['mysqldump'], mariadb: ['mariadb-dump', 'mysqldump'] },
  client: { mysql: ['mysql'], mariadb: ['mariadb', 'mysql'] },
};

/** Where distributions put them. */
export const TOOL_FOLDERS: readonly string[] = [
  '/usr/bin',
  '/usr/local/bin',
  '/usr/local/mysql/bin',
  '/opt/homebrew/opt/mysql-client/bin',
  '/usr/local/opt/mysql-client/bin',
  '/opt/homebrew/opt/mariadb/bin',
  '/usr/local/opt/mariadb/bin',
];

/**
 * The program of the server's own family: MariaDB's writes rows of MySQL that do not restore (generated columns), MySQL's
 * knows nothing of MariaDB's sequences. Of a dump not much older than its server. Throws `tool` where none fits.
 */
export async function findFitting(
  purpose: Purpose,
  server: { readonly family: Family; readonly version: string },
  { tools: folder }: Pick<MysqlTarget, 'tools'>,
  context: Context,
): Promise<FoundTool> {
  const name = familyName(server.family);
  const wrong: string[] = [];
  for (const place of placesOf(NAMES[purpose][server.family], folder)) {
    const found = await lookAt(place, context);
    if (found === null) continue;
    if (found.family !== server.family) wrong.push(`${found.program} is that of ${familyName(found.family)}`);
    else if (purpose === 'dump' && isOlder(majorOf(found.version), majorOf(server.version)))
      wrong.push(`${found.program} is ${found.version}, older than the server`);
    else return found;
  }
  const [program = purpose] = NAMES[purpose][server.family];
  throw toolError(`cannot run ${program} for ${name} ${server.version}: ${wrong[0] ?? 'no such program'}`, {
    hint: `install the client programs of ${name}, or name their folder under \`tools\``,
  });
}

/** A client of either family: of that which wrote the dump where there is one, else any. */
const majorOf = (version: string): string => version.split('.').slice(0, 2).join('.');

function placesOf(names: readonly string[], folder: string | undefined): readonly string[] {
  if (folder !== undefined) return names.map((name) => join(folder, name));
  return [...names, ...TOOL_FOLDERS.flatMap((one) => names.map((name) => join(one, name)))];
}

async function lookAt(place: string, context: Context): Promise<FoundTool | null> {
  const program = context.findTool(place);
  if (program === undefined) return null;
  const { stdout, exitCode } = await context.run({ argv: [program, '--no-defaults', '--version'] });
  if (exitCode !== 0) return null;
  const maria = /(?:Distrib|from) (\d+\.\d+(?:\.\d+)?)-MariaDB/.exec(stdout);
  if (maria?.[1] !== undefined) return { program, family: 'mariadb', version: maria[1] };
  const version = /(?:Distrib|Ver) (\d+\.\d+(?:\.\d+)?)/.exec(stdout)?.[1];
  return version === undefined ? null : { program, family: 'mysql', version };
}
