import type { Context } from '../../../context.ts';
import { notFoundError, reasonOf, throwIfAborted, usageError } from '../../../errors.ts';
import type { Facts, IncomingArtifact, RestoreOutcome, RestoreRequest } from '../../engine.ts';
import { factsOfPart, partFacts, uniteFacts } from '../../part-facts.ts';
import type { PostgresConfig, PostgresTarget } from '../server/connection.ts';
import { GLOBALS_FORMAT } from './globals.ts';
import { asDatabase } from './list-databases.ts';
import { assertPostgresRestorable, restorePostgres } from '../restore/restore.ts';
import { restoreGlobals } from './restore-globals.ts';
import { openToolFinder } from '../server/tools.ts';

type Request = RestoreRequest<PostgresConfig>;

/**
 * Brings back what belongs to the server, then each database by itself. Where one of several cannot come back it is a
 * conflict, and the others are restored all the same; where none could, the first reason is thrown.
 */
export async function restoreDatabases(request: Request, context: Context): Promise<RestoreOutcome> {
  const globals = request.artifacts.find(({ format }) => format === GLOBALS_FORMAT);
  const parts = partsOf(request);
  const tools = openToolFinder(request.destination, context);
  const outcomes: RestoreOutcome[] = [];
  if (globals !== undefined && request.paths.length === 0) {
    const place = parts[0]?.request.destination ?? asDatabase(request.destination, '');
    outcomes.push({ facts: null, keptOld: [], conflicts: [], ...(await restoreGlobals(globals, place, context)) });
  }
  const failures: { readonly name: string; readonly error: unknown }[] = [];
  for (const { name, request: one } of parts) {
    try {
      throwIfAborted(context.signal);
      outcomes.push(named(name, await restorePostgres(one, tools, context)));
    } catch (error) {
      failures.push({ name, error });
    }
  }
  const [first] = failures;
  if (first !== undefined && failures.length === parts.length) throw first.error;
  const conflicts = failures.map(({ name, error }) => `database ${name} is as it was: ${reasonOf(error)}`);
  return unite(outcomes, conflicts);
}

/** Throws where none of the databases could come back, for what the first one lacks. Changes nothing. */
export async function assertDatabasesRestorable(request: Request, context: Context): Promise<void> {
  const rolesCome = request.paths.length === 0 && request.artifacts.some(({ format }) => format === GLOBALS_FORMAT);
  const tools = openToolFinder(request.destination, context);
  const failures: unknown[] = [];
  const parts = partsOf(request);
  for (const { request: one } of parts) {
    try {
      await assertPostgresRestorable(one, tools, context, rolesCome);
    } catch (error) {
      throwIfAborted(context.signal);
      failures.push(error);
    }
  }
  if (failures.length > 0 && failures.length === parts.length) throw failures[0];
}

const unite = (outcomes: readonly RestoreOutcome[], conflicts: readonly string[]): RestoreOutcome => ({
  facts: outcomes.some(({ facts }) => facts !== null) ? uniteFacts(outcomes.map(({ facts }) => facts ?? {})) : null,
  keptOld: outcomes.flatMap(({ keptOld }) => keptOld),
  restored: uniteFacts(outcomes.map(({ restored }) => restored)),
  conflicts: [...conflicts, ...outcomes.flatMap((outcome) => outcome.conflicts)],
  warnings: outcomes.flatMap(({ warnings }) => warnings),
});

/** One database of a request. */
interface Part {
  /** Its name in the snapshot; empty where the target is one database. */
  readonly name: string;
  readonly request: RestoreRequest<PostgresTarget>;
}

function partsOf(request: Request): readonly Part[] {
  const { artifacts, destination, paths, artifactFacts } = request;
  const databases = artifacts.filter(({ format }) => format !== GLOBALS_FORMAT);
  const [only] = databases;
  if (only?.name === '')
    return [{ name: '', request: { ...request, artifacts: [only], destination: oneOf(destination), paths } }];
  const chosen = choose(databases, paths);
  if (destination.database !== undefined && chosen.length > 1)
    throw usageError(`cannot restore ${chosen.length} databases into one`, {
      hint: 'choose one with --path DATABASE, or restore without `database` in --into',
    });
  // A database that is chosen by its name comes back whole.
  const whole = request.expectedFacts ?? (request.mode === 'merge' ? null : (artifactFacts ?? null));
  return chosen.map(({ artifact, paths: within }) => ({
    name: artifact.name,
    request: {
      ...request,
      artifacts: [artifact],
      paths: within,
      destination: asDatabase(destination, destination.database ?? artifact.name),
      expectedFacts: whole === null || within.length > 0 ? null : partFacts(whole, artifact.name),
      ...(artifactFacts === undefined ? {} : { artifactFacts: partFacts(artifactFacts, artifact.name) }),
    },
  }));
}

function oneOf(destination: PostgresConfig): PostgresTarget {
  if (destination.database !== undefined) return asDatabase(destination, destination.database);
  throw usageError('cannot restore one database into several', { hint: 'name it: --into database=NAME' });
}

/** Paths of several databases begin with the name of one: `kong` or `kong/public.events`. */
function choose(
  databases: readonly IncomingArtifact[],
  paths: readonly string[],
): readonly { readonly artifact: IncomingArtifact; readonly paths: readonly string[] }[] {
  if (paths.length === 0) return databases.map((artifact) => ({ artifact, paths: [] }));
  const chosen = new Map<IncomingArtifact, readonly string[]>();
  for (const path of paths) {
    const artifact = databases.find(({ name }) => path === name || path.startsWith(`${name}/`));
    if (artifact === undefined)
      throw notFoundError(`cannot restore ${path}: the snapshot has no such database`, {
        hint: `it has ${databases.map(({ name }) => name).join(', ')}; a table of one is DATABASE/SCHEMA.TABLE`,
      });
    const within = path === artifact.name ? [] : [path.slice(artifact.name.length + 1)];
    chosen.set(artifact, [...(chosen.get(artifact) ?? []), ...within]);
  }
  return [...chosen].map(([artifact, within]) => ({ artifact, paths: within }));
}

/** What one of several databases tells, under its name. */
function named(name: string, outcome: RestoreOutcome): RestoreOutcome {
  if (name === '') return outcome;
  const told = (lines: readonly string[]): readonly string[] => lines.map((line) => `${name}: ${line}`);
  const restored: Facts = Object.fromEntries(
    Object.entries(outcome.restored).map(([key, value]) => [`${name}: ${key}`, value] as const),
  );
  return {
    ...outcome,
    facts: outcome.facts === null ? null : factsOfPart(outcome.facts, name),
    restored,
    conflicts: told(outcome.conflicts),
    warnings: told(outcome.warnings),
  };
}
