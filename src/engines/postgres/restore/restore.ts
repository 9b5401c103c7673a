import type { Context } from '../../../context.ts';
import { type BkpError, guardError, targetError, throwIfAborted } from '../../../errors.ts';
import type { IncomingArtifact, RestoreOutcome, RestoreRequest } from '../../engine.ts';
import { connectAdmin, lockDestination, steady, unlockDestination } from '../server/admin-session.ts';
import type { Needs } from '../script/needs.ts';
import { readOutline } from '../script/outline.ts';
import { type Beside, buildBeside } from './build-beside.ts';
import type { PostgresTarget, Session } from '../server/connection.ts';
import type { DatabaseContents } from '../server/database-contents.ts';
import { storedFormat } from '../archive/dump-formats.ts';
import { fillInPlace } from './fill-in-place.ts';
import { contentsOf, describeContents, IN_RECOVERY, mayNotCreate } from './inspect-destination.ts';
import { mergePostgres } from '../merge/merge.ts';
import { orDamage } from '../script/or-damage.ts';
import { onlyArchive } from '../archive/only-archive.ts';
import { assertServerHas } from './preflight.ts';
import { replaceInPlace } from './replace-in-place.ts';
import { restoreChosen } from './restore-chosen.ts';
import { maySetAside, readRights } from '../server/rights.ts';
import { readServer } from '../server/server.ts';
import { dropLeftovers } from './side-database.ts';
import type { ToolFinder } from '../server/tools.ts';
import { findUnowned } from '../script/unowned.ts';

type Request = RestoreRequest<PostgresTarget>;

/** Brings a database back in one of the three modes. */
export async function restorePostgres(request: Request, tools: ToolFinder, context: Context): Promise<RestoreOutcome> {
  const artifact = archiveOf(request);
  throwIfAborted(context.signal);
  // What it does is short, and half of it would be worse than the wait: it does not end with an abort.
  const admin = await connectAdmin(request.destination, steady(context));
  try {
    await lockDestination(admin, request.destination, context);
    try {
      await dropLeftovers(admin, request.destination, context);
      return await restoreLocked(request, artifact, tools, admin, context);
    } finally {
      await unlockDestination(admin);
    }
  } finally {
    await admin.close();
  }
}

function archiveOf({ artifacts }: Request): IncomingArtifact {
  const artifact = onlyArchive(artifacts);
  storedFormat(artifact);
  return artifact;
}

async function restoreLocked(
  request: Request,
  artifact: IncomingArtifact,
  tools: ToolFinder,
  admin: Session,
  context: Context,
): Promise<RestoreOutcome> {
  const { destination, mode } = request;
  const server = await readServer(admin);
  if (server.inRecovery) throw refuse(destination, IN_RECOVERY);
  const { program } = await tools.fitting('pg_restore', server.major);
  const contents = await contentsOf(admin, destination, context);
  const live = stateOf(contents);
  const isChosen = request.paths.length > 0;
  if (mode === 'new' && contents !== null && live === 'occupied' && !isChosen)
    throw occupiedError(destination, contents);
  const outline = await readOutline(artifact, program, context, request.expectedFacts);
  const makesDatabase = live === 'absent';
  const { noOwner } = request;
  const needs = isChosen ? ofDatabase(outline.needs) : outline.needs;
  await assertServerHas(admin, { needs }, destination, { makesDatabase, noOwner });
  const grantees = makesDatabase ? outline.needs.database.grantees : [];
  const unowned = noOwner
    ? await findUnowned(admin, artifact, program, context, { name: destination.database, grantees })
    : null;
  const beside = { request, outline, program, live, unowned };
  const outcome = await orDamage(artifact, context, () => {
    if (isChosen) return restoreChosen(beside, admin, context);
    return mode === 'merge' && live === 'occupied'
      ? mergePostgres(beside, null, admin, context)
      : restoreWhole(beside, admin, context);
  });
  const left = outline.hasSubscriptions && mode !== 'merge' && !isChosen ? [NO_SUBSCRIPTIONS] : [];
  return { ...outcome, warnings: [...outcome.warnings, ...left] };
}

/** What single relations need is asked when it is known which they are. */
const ofDatabase = ({ database }: Needs): Needs => {
  const none = new Set<string>();
  return { owners: none, grantees: none, extensions: none, tablespaces: none, collations: none, database };
};

const NO_SUBSCRIPTIONS = 'subscriptions were left out: make them again when the publisher is to send its changes here';

/** A place is built beside where the user may; else the database is filled, or its contents exchanged, as it stands. */
async function restoreWhole(beside: Beside, admin: Session, context: Context): Promise<RestoreOutcome> {
  const { request, live } = beside;
  const rights = await readRights(admin, request.destination.database);
  if (maySetAside(rights)) return buildBeside(beside, admin, context);
  if (live === 'absent') throw refuse(request.destination, mayNotCreate(rights.user));
  return live === 'empty' ? fillInPlace(beside, context) : replaceInPlace(beside, admin, context);
}

const refuse = (
  { database }: PostgresTarget,
  { message, hint }: { readonly message: string; readonly hint?: string | undefined },
): BkpError => targetError(`cannot restore database ${database}: ${message}`, { hint });

function stateOf(contents: DatabaseContents | null): Beside['live'] {
  if (contents === null) return 'absent';
  return contents.objects === 0 ? 'empty' : 'occupied';
}

function occupiedError({ database }: PostgresTarget, contents: DatabaseContents): BkpError {
  return guardError(`cannot restore database ${database}: it holds ${describeContents(contents)}`, {
    hint: '`--mode replace` sets it aside, `--mode merge` adds what is missing',
  });
}
