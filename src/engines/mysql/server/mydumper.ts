import { join } from 'node:path';
import type { Context } from '../../../context.ts';
import { toolError } from '../../../errors.ts';
import type { MysqlTarget } from './connection.ts';
import type { OptionsReader } from './tls.ts';
import { TOOL_FOLDERS } from './tools.ts';

/** The program that reads several tables at once. */
export interface Mydumper {
  /** Absolute path. */
  readonly program: string;
  readonly version: string;
  /** Of the library that it was built with. */
  readonly reads: OptionsReader;
  /** Names of its options, which change from version to version. */
  readonly options: ReadonlySet<string>;
}

/** Without these it loses something. */
const NEEDED = [
  'defaults-file',
  'database',
  'outputdir',
  'threads',
  'no-schemas',
  'build-empty-files',
  'complete-insert',
  'omit-from-file',
] as const;

/** Looks in the folder of the target first. Throws `tool` where there is none, or one that lacks an option. */
export async function findMydumper({ tools: folder }: Pick<MysqlTarget, 'tools'>, context: Context): Promise<Mydumper> {
  const places = [...(folder === undefined ? [] : [join(folder, NAME)]), NAME, ...inFolders(TOOL_FOLDERS)];
  for (const place of places) {
    const program = context.findTool(place);
    if (program === undefined) continue;
    const told = await context.run({ argv: [program, '--version'] });
    const version = /^mydumper v?(\d+(?:\.\d+)+)/m.exec(told.stdout)?.[1];
    if (told.exitCode !== 0 || version === undefined) continue;
    const help = await context.run({ argv: [program, '--help'] });
    const options = new Set([...help.stdout.matchAll(/--([a-z][\w-]*)/g)].map(([, name = '']) => name));
    const lacking = NEEDED.filter((name) => !options.has(name));
    if (lacking.length === 0) return { program, version, reads: readsLike(told.stdout), options };
    throw toolError(`cannot use ${program} ${version}: it has no option --${lacking.join(', --')}`, {
      hint: 'install mydumper 0.10 or newer',
    });
  }
  throw toolError('cannot run mydumper: no such program', {
    hint: 'install mydumper, or leave `method: mydumper` out',
  });
}

/** Both programs of a capture, for people. */
export const withMydumper = (dumps: string, mydumper: Mydumper | null): string =>
  mydumper === null ? dumps : `${dumps} and mydumper ${mydumper.version}`;

/** Versions of MySQL are below 10, those of MariaDB are not, whatever the name that is given. */
const readsLike = (told: string): OptionsReader =>
  Number(/built against \w+ (\d+)/.exec(told)?.[1] ?? 10) < 10 ? 'mysql' : 'libmariadb';

const NAME = 'mydumper';

const inFolders = (folders: readonly string[]): readonly string[] => folders.map((folder) => join(folder, NAME));
