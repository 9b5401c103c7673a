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
import { contentsOf, describeContents, IN_RECOVERY, mayNotCreate, noScriptInPlace } from './inspect-destination.ts';
import { readOutlines } from '../script/definitions.ts';
import { mergePostgres } from '../merge/merge.ts';
import { orDamage } from '../../or-damage.ts';
import { readWhole } from '../../read-whole.ts';
import { onlyArchive } from '../archive/only-archive.ts';
import { assertServerHas } from './preflight.ts';
import { replaceInPlace } from './replace-in-place.ts';
import { assertChosenRestorable, restoreChosen } from './restore-chosen.ts';
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

/**
 * Throws what a restore would throw before it changes anything: what the archive needs and the server lacks, paths that it
 * does not have. Changes nothing. `rolesCome`: roles that are missing will be made before.
 */
export async function assertPostgresRestorable(
  request: Request,
  tools: ToolFinder,
  context: Context,
  rolesCome: boolean,
): Promise<void> {
  const artifact = archiveOf(request);
  const admin = await connectAdmin(request.destination, context);
  try {
    const { program, live } = await prepare(request, artifact, tools, admin, context, rolesCome);
    if (request.paths.length > 0) await assertChosenRestorable({ request, program, live }, context);
    else if (request.mode === 'merge') await readOutlines(artifact, program, context);
    else await wayOf(request, live, admin);
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
  const { destination, mode, noOwner } = request;
  const isChosen = request.paths.length > 0;
  const { program, live, outline } = await prepare(request, artifact, tools, admin, context, false);
  const grantees = live === 'absent' ? outline.needs.database.grantees : [];
  const unowned = noOwner
    ? await findUnowned(admin, artifact, program, context, { name: destination.database, grantees })
    : null;
  const beside = { request, outline, program, live, unowned };
  const outcome = await orDamage(
    () => readWhole(artifact, storedFormat(artifact).open()),
    context,
    () => {
      if (isChosen) return restoreChosen(beside, admin, context);
      return mode === 'merge' && live === 'occupied'
        ? mergePostgres(beside, null, admin, context)
        : restoreWhole(beside, admin, context);
    },
  );
  const left = outline.hasSubscriptions && mode !== 'merge' && !isChosen ? [NO_SUBSCRIPTIONS] : [];
  return { ...outcome, warnings: [...outcome.warnings, ...left] };
}

/** What a restore knows before it changes anything. Throws where it is refused. */
async function prepare(
  request: Request,
  artifact: IncomingArtifact,
  tools: ToolFinder,
  admin: Session,
  context: Context,
  rolesCome: boolean,
): Promise<Pick<Beside, 'outline' | 'program' | 'live'>> {
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
  const needs = isChosen ? ofDatabase(outline.needs) : outline.needs;
  const noOwner = request.noOwner || rolesCome;
  await assertServerHas(admin, { needs }, destination, { makesDatabase, noOwner });
  return { outline, program, live };
}

/** What single relations need is asked when it is known which they are. */
const ofDatabase = ({ database }: Needs): Needs => {
  const none = new Set<string>();
  return { owners: none, grantees: none, extensions: none, tablespaces: none, collations: none, database };
};

const NO_SUBSCRIPTIONS = 'subscriptions were left out: make them again when the publisher is to send its changes here';

/** A place is built beside where the user may; else the database is filled, or its contents exchanged, as it stands. */
async function restoreWhole(beside: Beside, admin: Session, context: Context): Promise<RestoreOutcome> {
  const way = await wayOf(beside.request, beside.live, admin);
  if (way === 'beside') return buildBeside(beside, admin, context);
  return way === 'fill' ? fillInPlace(beside, context) : replaceInPlace(beside, admin, context);
}

/** How a whole database comes back. Throws `target` where the user may do it in no way. */
async function wayOf(
  { destination, artifacts }: Request,
  live: Beside['live'],
  admin: Session,
): Promise<'beside' | 'fill' | 'exchange'> {
  const rights = await readRights(admin, destination.database);
  if (maySetAside(rights)) return 'beside';
  if (live === 'absent') throw refuse(destination, mayNotCreate(rights.user));
  if (live === 'empty') return 'fill';
  if (storedFormat(onlyArchive(artifacts)).word === 'plain') throw refuse(destination, noScriptInPlace(rights.user));
  return 'exchange';
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
