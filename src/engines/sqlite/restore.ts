import { access, constants, mkdtemp, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Context } from '../../context.ts';
import { type BkpError, guardError, integrityError, targetError, throwIfAborted } from '../../errors.ts';
import type {
  Facts,
  IncomingArtifact,
  Problem,
  RestoreOutcome,
  RestoreRequest,
  SetAside,
  TargetOf,
} from '../engine.ts';
import { factsDifference } from '../facts-difference.ts';
import { requireFreeSpace } from '../free-space.ts';
import { busyTimeoutMs } from './busy-timeout.ts';
import { callSqlite } from './call.ts';
import { type DatabaseFile, inspectDatabaseFile } from './file.ts';
import { assertNotInUse } from './holders.ts';
import { copyOwner, isTaken, removeDatabase } from './parts.ts';
import { beginSwap, endSwap, finishEarlierSwap, swap } from './swap.ts';

type Request = RestoreRequest<TargetOf<'sqlite'>>;

/** Brings a database back in one of the three modes. */
export async function restoreSqlite(request: Request, context: Context): Promise<RestoreOutcome> {
  const artifact = singleArtifact(request.artifacts);
  if (request.paths.length > 0) throw targetError('cannot restore chosen paths: a SQLite artifact is one file');
  const { path } = await inspectDatabaseFile(request.destination.path);
  const finished = await finishEarlierSwap(path, context);
  const file = await inspectDatabaseFile(path);
  const problem = (await destinationProblems(file))[0];
  if (problem !== undefined) {
    throw targetError(`cannot restore ${path}: ${problem.message}`, { hint: problem.hint });
  }
  const outcome =
    request.mode === 'merge' && file.kind === 'database'
      ? await merge(request, artifact, file, context)
      : await replace(request, artifact, file, context);
  return finished === undefined ? outcome : { ...outcome, keptOld: [...outcome.keptOld, setAsideAt(finished)] };
}

const setAsideAt = (path: string): SetAside => ({ type: 'sqlite', reference: path });

/** The one file that a SQLite target leaves. */
export function singleArtifact(artifacts: readonly IncomingArtifact[]): IncomingArtifact {
  const [artifact] = artifacts;
  if (artifact === undefined || artifacts.length > 1 || artifact.format !== 'sqlite3') {
    throw integrityError('cannot read the snapshot: it does not hold exactly one SQLite artifact');
  }
  return artifact;
}

/** What keeps every restore into this place from starting. */
export async function destinationProblems(file: DatabaseFile): Promise<readonly Problem[]> {
  const folder = dirname(file.path);
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined || !found.isDirectory()) {
    return [{ message: `folder ${folder} does not exist`, hint: 'create it, or mount it' }];
  }
  const problems: Problem[] = [];
  if (file.kind === 'unusable') problems.push({ message: `${file.path} is ${file.description}` });
  await access(folder, constants.W_OK).catch(() => {
    problems.push({ message: `no right to write in ${folder}`, hint: 'run as the owner, or mount it writable' });
  });
  return problems;
}

async function replace(
  request: Request,
  artifact: IncomingArtifact,
  file: DatabaseFile,
  context: Context,
): Promise<RestoreOutcome> {
  const { path } = file;
  const isFree = file.kind === 'absent' || file.kind === 'empty';
  if (request.mode === 'new' && !isFree) throw occupiedError(file);
  if (request.mode === 'merge' && !isFree) throw targetError(`cannot merge into ${path}: it is a ${file.description}`);
  if (file.stats !== null || file.sidecars.length > 0) await assertNotInUse(file, context);
  if (artifact.rawBytes !== null) await requireFreeSpace(dirname(path), artifact.rawBytes, `restore ${path}`);
  const journal = await beginSwap(path, request.snapshot, context);
  try {
    await artifact.into({ kind: 'file', path: journal.staged });
    const facts = await callSqlite(context, 'inspectCopy', { path: journal.staged, name: `restored as ${path}` });
    assertExpected(path, request.expectedFacts, facts);
    const isOwnerKept = await copyOwner(journal.staged, file, context);
    if (file.stats !== null) await assertNotInUse(await inspectDatabaseFile(path), context);
    throwIfAborted(context.signal);
    await swap(path, journal);
    if (file.kind === 'empty' && !file.hasPendingLog) await removeDatabase(journal.old);
    return {
      facts,
      keptOld: (await isTaken(journal.old)) ? [setAsideAt(journal.old)] : [],
      restored: tableCounts(facts),
      conflicts: [],
      warnings: isOwnerKept ? [] : [`the owner of ${path} could not be kept: this user may not change it`],
    };
  } finally {
    await endSwap(path, journal);
  }
}

async function merge(
  request: Request,
  artifact: IncomingArtifact,
  file: DatabaseFile,
  context: Context,
): Promise<RestoreOutcome> {
  const folder = await mkdtemp(join(context.workDir, 'merge-'));
  try {
    if (artifact.rawBytes !== null) {
      await requireFreeSpace(folder, artifact.rawBytes, `merge into ${file.path}`);
      await requireFreeSpace(dirname(file.path), artifact.rawBytes, `merge into ${file.path}`);
    }
    const copy = join(folder, 'artifact.db');
    await artifact.into({ kind: 'file', path: copy });
    const facts = await callSqlite(context, 'inspectCopy', { path: copy, name: 'of the snapshot' });
    assertExpected(file.path, request.expectedFacts, facts);
    const merged = await callSqlite(context, 'mergeDatabase', {
      path: file.path,
      artifact: copy,
      skipConflicts: request.skipConflicts,
      busyTimeoutMs: busyTimeoutMs(request.destination),
    });
    return { facts: null, keptOld: [], ...merged };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function assertExpected(path: string, expected: Facts | null, found: Facts): void {
  const difference = expected === null ? [] : factsDifference(expected, found);
  if (difference.length === 0) return;
  throw integrityError(`cannot restore ${path}: the artifact is not what was captured: ${difference.join(', ')}`);
}

function occupiedError(file: DatabaseFile): BkpError {
  return guardError(`cannot restore ${file.path}: a ${file.description} is there`, {
    hint: '`--mode replace` sets it aside, `--mode merge` adds what is missing',
  });
}

function tableCounts(facts: Facts): Facts {
  const { tables } = facts;
  if (typeof tables !== 'object' || tables === null) return {};
  return Object.fromEntries(Object.entries(tables).map(([name, rows]) => [`table ${name}`, rows]));
}
