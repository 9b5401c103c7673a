import type { Context } from '../../context.ts';
import { reasonOf, throwIfAborted } from '../../errors.ts';
import type { Facts, IncomingArtifact, RestoreOutcome, RestoreRequest } from '../engine.ts';
import { factsOfPart, uniteFacts } from '../part-facts.ts';
import { type DatabasesConfig, type DatabasesOf, partsOf } from './parts.ts';

/** How an engine restores one database, and what belongs to its server. */
export interface RestoresDatabases<C extends DatabasesConfig, T> extends DatabasesOf<C, T> {
  restoreGlobals(
    artifact: IncomingArtifact,
    place: T,
    context: Context,
  ): Promise<Pick<RestoreOutcome, 'restored' | 'warnings'>>;
  restoreOne(request: RestoreRequest<T>, context: Context): Promise<RestoreOutcome>;
  /** `rolesCome`: what belongs to the server will be made before. */
  assertOne(request: RestoreRequest<T>, context: Context, rolesCome: boolean): Promise<void>;
}

/**
 * Brings back what belongs to the server, then each database by itself. Where one of several cannot come back it is a
 * conflict, and the others are restored all the same; where none could, the first reason is thrown.
 */
export async function restoreEach<C extends DatabasesConfig, T>(
  request: RestoreRequest<C>,
  engine: RestoresDatabases<C, T>,
  context: Context,
): Promise<RestoreOutcome> {
  const globals = request.artifacts.find(({ format }) => format === engine.globalsFormat);
  const parts = partsOf(request, engine);
  const outcomes: RestoreOutcome[] = [];
  if (globals !== undefined && request.paths.length === 0) {
    const place = parts[0]?.request.destination ?? engine.asDatabase(request.destination, '');
    outcomes.push({
      facts: null,
      keptOld: [],
      conflicts: [],
      ...(await engine.restoreGlobals(globals, place, context)),
    });
  }
  const failures: { readonly name: string; readonly error: unknown }[] = [];
  for (const { name, request: one } of parts) {
    try {
      throwIfAborted(context.signal);
      outcomes.push(named(name, await engine.restoreOne(one, context)));
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
export async function assertAnyRestorable<C extends DatabasesConfig, T>(
  request: RestoreRequest<C>,
  engine: RestoresDatabases<C, T>,
  context: Context,
): Promise<void> {
  const rolesCome =
    request.paths.length === 0 && request.artifacts.some(({ format }) => format === engine.globalsFormat);
  const failures: unknown[] = [];
  const parts = partsOf(request, engine);
  for (const { request: one } of parts) {
    try {
      await engine.assertOne(one, context, rolesCome);
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
