import { link, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../../context.ts';
import { BkpError, guardError, reasonOf, targetError, throwIfAborted, usageError } from '../../../errors.ts';
import type { RestoreOutcome, RestoreRequest } from '../../engine.ts';
import { dumpOf } from '../restore/dump-of.ts';
import { readUsers } from '../restore/restore-users.ts';
import { restoredCounts } from '../restore/restored-counts.ts';
import { surveyDump } from '../restore/survey.ts';
import type { RedisTarget } from '../server/connection.ts';
import { assertStopped } from './assert-stopped.ts';
import { type DataFolder, describeFolder, DUMP, openDataFolder } from './data-folder.ts';
import { exchange, removeStaged, undoKilledExchange } from './exchange.ts';

/**
 * Places a dump where a stopped server finds it when it starts: as its dump, and as the base of its append-only files where
 * it starts from these. What stood there is set aside.
 */
export async function restoreAsFile(request: RestoreRequest<RedisTarget>, context: Context): Promise<RestoreOutcome> {
  const { destination, mode, artifacts, expectedFacts, snapshot } = request;
  if (mode === 'merge')
    throw usageError('cannot merge with `method: file`: keys are merged into a running server', {
      hint: 'start the server and leave `method` out',
    });
  await assertStopped(destination, context);
  await undoKilledExchange((await openDataFolder(destination)).path);
  const folder = await openDataFolder(destination);
  if (mode === 'new' && folder.isOccupied)
    throw guardError(`cannot restore into ${folder.path}: it holds ${describeFolder(folder)}`, {
      hint: '`--mode replace` sets it aside',
    });
  const dump = dumpOf(artifacts);
  const { facts } = await surveyDump(dump, expectedFacts, context);
  const users = await readUsers(artifacts);
  const built = await build(folder, snapshot, async (path) => dump.into({ kind: 'file', path }));
  const keptOld = await exchange(folder, built, snapshot, () => throwIfAborted(context.signal));
  return {
    facts: { ...facts, ...(users.length === 0 ? {} : { users: users.length }) },
    keptOld: keptOld.map((reference) => ({ type: 'redis', reference })),
    restored: restoredCounts(facts['keys'], facts['libraries']),
    conflicts: [],
    warnings: [
      ...stepsFor(folder),
      ...(users.length === 0 ? [] : [`${users.length} users were not restored: they go to a running server only`]),
    ],
  };
}

function stepsFor({ path, appendOnly }: DataFolder): readonly string[] {
  if (appendOnly !== null)
    return [`start the server: it reads the append-only files in ${join(path, appendOnly.folder)}`];
  return [
    `start the server with \`appendonly no\`: it reads dump.rdb in ${path}. One with \`appendonly yes\` would start empty: run CONFIG SET appendonly yes once it answers, or restore with \`appendOnly: true\``,
  ];
}

/** Writes everything beside its place, owned and readable as what is there. Takes it away again when that fails. */
async function build(
  folder: DataFolder,
  snapshot: string,
  write: (path: string) => Promise<void>,
): Promise<readonly { readonly staged: string; readonly place: string }[]> {
  const { path, appendOnly } = folder;
  const staged = (place: string): string => `${place}.bkp-new-${snapshot}`;
  const dump = join(path, DUMP);
  try {
    await write(staged(dump));
    await folder.giveToServer(staged(dump));
    if (appendOnly === null) return [{ staged: staged(dump), place: dump }];
    const append = join(path, appendOnly.folder);
    await mkdir(staged(append), { mode: 0o755 });
    const base = `${appendOnly.name}.1.base.rdb`;
    await link(staged(dump), join(staged(append), base));
    const later = `${appendOnly.name}.1.incr.aof`;
    await writeFile(join(staged(append), later), '', { mode: 0o644, flush: true });
    const manifest = `file ${base} seq 1 type b\nfile ${later} seq 1 type i\n`;
    await writeFile(join(staged(append), `${appendOnly.name}.manifest`), manifest, { mode: 0o644, flush: true });
    for (const name of ['', later, `${appendOnly.name}.manifest`])
      await folder.giveToServer(join(staged(append), name));
    // The dump comes last: with it the exchange is done.
    return [
      { staged: staged(append), place: append },
      { staged: staged(dump), place: dump },
    ];
  } catch (error) {
    await removeStaged(path);
    if (error instanceof BkpError) throw error;
    throw targetError(`cannot write into ${path}: ${reasonOf(error)}`, { cause: error });
  }
}
