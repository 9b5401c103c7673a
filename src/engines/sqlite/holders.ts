import { readdirSync, readFileSync, statSync, type BigIntStats } from 'node:fs';
import type { Context } from '../../context.ts';
import { guardError } from '../../errors.ts';
import { callSqlite } from './call.ts';
import { type DatabaseFile, SIDECARS } from './file.ts';

/** Throws `guard` while any process has the database open: it would go on with the file that is taken away. */
export async function assertNotInUse(file: DatabaseFile, context: Context): Promise<void> {
  const holders = await findHolders(file, context);
  const refuse = (who: string): Error =>
    guardError(`cannot replace database ${file.path}: ${who}`, { hint: 'stop the application first, then restore' });
  if (holders.length > 0) throw refuse(`${holders.join(', ')} has it open`);
  if (file.kind !== 'database') return;
  if (await callSqlite(context, 'isLocked', { path: file.path })) throw refuse('another connection has it open');
}

/** Processes with an open handle, as `process 12 (node)`; those of other users only when we may look. */
export async function findHolders(file: Pick<DatabaseFile, 'path'>, context: Context): Promise<readonly string[]> {
  const paths = ['', ...SIDECARS].map((suffix) => `${file.path}${suffix}`);
  if (context.host.platform === 'linux') return findInProc(paths);
  if (context.findTool('lsof') === undefined) return [];
  const { stdout } = await context.run({ argv: ['lsof', '-F', 'pc', '--', ...paths] });
  return stdout.split(/\n(?=p)/).flatMap((block) => {
    const found = /^p(\d+)\nc(.*)/.exec(block);
    return found === null ? [] : [`process ${found[1]} (${found[2]})`];
  });
}

function findInProc(paths: readonly string[]): readonly string[] {
  const wanted = new Set(paths.flatMap((path) => identity(path)));
  if (wanted.size === 0) return [];
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const handles = readdirSync(`/proc/${pid}/fd`);
      // By device and inode, not by name: names differ between mount namespaces.
      if (!handles.some((handle) => identity(`/proc/${pid}/fd/${handle}`).some((id) => wanted.has(id)))) return [];
      return [`process ${pid} (${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()})`];
    } catch {
      return [];
    }
  });
}

function identity(path: string): readonly string[] {
  try {
    const found: BigIntStats = statSync(path, { bigint: true });
    return [`${found.dev}:${found.ino}`];
  } catch {
    return [];
  }
}
