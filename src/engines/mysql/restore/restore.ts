import type { Context } from '../../../context.ts';
import { guardError, targetError, throwIfAborted } from '../../../errors.ts';
import type { Facts, RestoreOutcome, RestoreRequest } from '../../engine.ts';
import { orDamage } from '../../or-damage.ts';
import { readDump } from '../dump/read-dump.ts';
import { mergeMysql } from '../merge/merge.ts';
import type { MysqlTarget, Session } from '../server/connection.ts';
import { type Contents, describeContents, liveState, readContents } from '../server/contents.ts';
import { lockDestination } from '../server/lock-destination.ts';
import { connectPatiently, steady } from '../server/patient-session.ts';
import { readServer } from '../server/server.ts';
import { findFitting } from '../server/tools.ts';
import type { ReadyRestore } from './fill.ts';
import { fillNew } from './fill-new.ts';
import { settleLeftovers } from './leftovers.ts';
import { onlyDump } from './only-dump.ts';
import { assertServerHas, destinationProblems } from './preflight.ts';
import { replaceBeside } from './replace.ts';

type Request = RestoreRequest<MysqlTarget>;

/** Brings a database back in one of the three modes. */
export async function restoreMysql(request: Request, context: Context): Promise<RestoreOutcome> {
  const artifact = onlyDump(request.artifacts);
  throwIfAborted(context.signal);
  const admin = await connectPatiently(request.destination, steady(context), null);
  try {
    await lockDestination(admin, request.destination);
    await settleLeftovers(admin, request.destination.database);
    const { ready, live } = await prepare(request, admin, false, context);
    return await orDamage(
      () => readDump(artifact),
      context,
      () => {
        if (live !== 'occupied') return fillNew(ready, live, context);
        return request.mode === 'merge' ? mergeMysql(ready, context) : replaceBeside(ready, context);
      },
    );
  } finally {
    await admin.close();
  }
}

/** Throws what a restore would throw before it changes anything. `usersCome`: those that are missing will be made before. */
export async function assertMysqlRestorable(request: Request, context: Context, usersCome: boolean): Promise<void> {
  onlyDump(request.artifacts);
  const admin = await connectPatiently(request.destination, context, null);
  try {
    await prepare(request, admin, usersCome, context);
  } finally {
    await admin.close();
  }
}

async function prepare(
  request: Request,
  admin: Session,
  usersCome: boolean,
  context: Context,
): Promise<{ readonly ready: ReadyRestore; readonly live: 'absent' | 'empty' | 'occupied' }> {
  const { destination, mode, noOwner } = request;
  const server = await readServer(admin);
  const client = await findFitting('client', server, destination, context);
  const contents = await readContents(admin, destination.database);
  const live = liveState(contents);
  if (mode === 'new' && contents !== null && live === 'occupied') throw occupiedError(destination, contents);
  const [problem] = await destinationProblems(admin, destination, server, live, mode);
  if (problem !== undefined)
    throw targetError(`cannot restore database ${destination.database}: ${problem.message}`, { hint: problem.hint });
  const facts = await factsOf(request);
  await assertServerHas(admin, destination, facts, { noOwner, usersCome });
  return { ready: { request, server, client, facts, admin }, live };
}

/** What a manifest tells of a dump; without it, the dump is read once more. */
async function factsOf({ expectedFacts, artifactFacts, artifacts }: Request): Promise<Facts> {
  const known = expectedFacts ?? artifactFacts ?? null;
  return known !== null && 'tables' in known ? known : readDump(onlyDump(artifacts));
}

const occupiedError = ({ database }: MysqlTarget, contents: Contents): Error =>
  guardError(`cannot restore database ${database}: it holds ${describeContents(contents)}`, {
    hint: '`--mode replace` sets it aside, `--mode merge` adds what is missing',
  });
