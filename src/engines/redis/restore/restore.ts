import type { Context } from '../../../context.ts';
import { guardError, throwIfAborted } from '../../../errors.ts';
import type { RestoreOutcome, RestoreRequest } from '../../engine.ts';
import { type RedisTarget, serverOf } from '../server/connection.ts';
import { restoreAsFile } from '../file/restore-file.ts';
import { connect, type Session } from '../server/session.ts';
import { compareLive } from './compare-live.ts';
import { type Contents, FILLING_KEY, isOccupied, occupiedError, readContents } from './contents.ts';
import { dumpOf } from './dump-of.ts';
import { fillServer } from './fill-server.ts';
import { assertServerTakes, assertValuesFit } from './preflight.ts';
import { readUsers, restoreUsers } from './restore-users.ts';
import { restoredCounts } from './restored-counts.ts';
import { endInterruptedFollowing, replaceAll } from './replace.ts';
import { type Survey, surveyDump } from './survey.ts';

type Request = RestoreRequest<RedisTarget>;

/** Brings a dump back into a running server. */
export async function restoreRedis(request: Request, context: Context): Promise<RestoreOutcome> {
  throwIfAborted(context.signal);
  const { destination } = request;
  if (destination.method === 'file') return restoreAsFile(request, context);
  const session = await connect(destination, context);
  try {
    await endInterruptedFollowing(session);
    const contents = await readContents(session);
    const survey = await prepare(request, contents, session, context);
    const users = await readUsers(request.artifacts);
    const outcome = await bringKeys(request, survey, contents, session, context);
    const made = await restoreUsers(users, session);
    return {
      ...outcome,
      facts: outcome.facts === null || users.length === 0 ? outcome.facts : { ...outcome.facts, users: users.length },
      restored: { ...outcome.restored, ...made.restored },
      warnings: [...outcome.warnings, ...made.warnings],
    };
  } finally {
    session.close();
  }
}

function bringKeys(
  request: Request,
  survey: Survey,
  contents: Contents,
  session: Session,
  context: Context,
): Promise<RestoreOutcome> {
  const { mode, destination, artifacts } = request;
  const isThere = isOccupied(contents) || contents.interrupted !== null;
  if (mode === 'replace' && isThere) return replaceAll(dumpOf(artifacts), survey, destination, session, context);
  if (mode === 'merge') return merge(request, survey, session, context);
  return fill(request, survey, contents, session, context);
}

/** Everything that can be found wrong before something is changed. */
async function prepare(
  { destination, mode, artifacts, expectedFacts, snapshot }: Request,
  contents: Contents,
  session: Session,
  context: Context,
): Promise<Survey> {
  const { interrupted } = contents;
  if (mode === 'new' && interrupted === null && isOccupied(contents)) throw occupiedError(destination, contents);
  if (mode === 'new' && interrupted !== null && interrupted !== snapshot)
    throw guardError(
      `cannot restore into redis at ${serverOf(destination)}: a restore of ${interrupted} was interrupted there`,
      { hint: 'run that one again, which finishes it, or exchange everything with `--mode replace`' },
    );
  const survey = await surveyDump(dumpOf(artifacts), expectedFacts, context);
  await assertServerTakes(survey, session, contents, destination);
  const isExchanged = mode === 'replace' && isOccupied(contents);
  if (!isExchanged) await assertValuesFit(survey, session, destination);
  return survey;
}

/** Fills a server that has no keys, or finishes that. */
async function fill(
  { artifacts, destination, snapshot }: Request,
  survey: Survey,
  { interrupted }: Contents,
  session: Session,
  context: Context,
): Promise<RestoreOutcome> {
  await session.command('SET', FILLING_KEY, snapshot);
  const unmark = (): Promise<unknown> => withSteady(destination, context, (own) => own.command('DEL', FILLING_KEY));
  try {
    return await fillServer(
      dumpOf(artifacts),
      survey,
      destination,
      session,
      interrupted === null,
      context,
      async (filled) => {
        await session.command('DEL', FILLING_KEY);
        const { facts, warnings } = await compareLive(session, survey, destination, context.clock.now());
        return {
          facts,
          keptOld: [],
          restored: restoredCounts(filled.brought, filled.libraries.length),
          conflicts: [],
          warnings,
        };
      },
    );
  } catch (error) {
    // A part that an earlier restore left stays known as one.
    if (interrupted === null) await unmark().catch(() => undefined);
    throw error;
  }
}

async function withSteady<T>(target: RedisTarget, context: Context, use: (session: Session) => Promise<T>): Promise<T> {
  const session = await connect(target, { ...context, signal: new AbortController().signal });
  try {
    return await use(session);
  } finally {
    session.close();
  }
}

/** Adds the keys and libraries that are missing; what is there wins. */
async function merge(
  { artifacts, destination, skipConflicts }: Request,
  survey: Survey,
  session: Session,
  context: Context,
): Promise<RestoreOutcome> {
  return fillServer(dumpOf(artifacts), survey, destination, session, false, context, async (filled) => {
    if (filled.refused.length > 0 && !skipConflicts)
      throw guardError(`cannot merge into redis at ${serverOf(destination)}: ${filled.refused.join(', ')}`, {
        hint: 'rename or remove the function there, or leave its library out with --skip-conflicts',
      });
    return {
      facts: null,
      keptOld: [],
      restored: restoredCounts(filled.brought, filled.libraries.length),
      conflicts: filled.refused,
      warnings: [],
    };
  });
}
