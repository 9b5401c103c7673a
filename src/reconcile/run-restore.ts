import type { FactValue, RestoreOutcome, RestoreRequest } from '../engines/engine.ts';
import { BkpError, integrityError, reasonOf, targetError } from '../errors.ts';
import type { Target } from '../generated/policy.ts';
import type { Check } from '../policy/resolved-policy.ts';
import { snapshotFolder } from '../snapshots/keys.ts';
import { verifyStored } from '../streams/hash-stored.ts';
import { checkName, factAt, factText, judge } from './expectations.ts';
import { keepArtifactsHere, openArtifacts } from './open-artifacts.ts';
import { needsSafety, obstacleAt, type PreparedRestore, type PreparedTarget } from './prepare-restore.ts';
import { stoppable, type Session } from './session.ts';

export interface RestoreReport {
  /** By target, in the order they were restored. */
  readonly outcomes: Readonly<Record<string, RestoreOutcome>>;
  /** The target that failed, when others were restored before it. */
  readonly failed: { readonly target: string; readonly error: unknown } | null;
}

/** Carries out the rest of a restore with its artifacts kept on this machine once they were read. */
export async function withArtifactsHere<T>(
  session: Session,
  prepared: PreparedRestore,
  use: (prepared: PreparedRestore) => Promise<T>,
): Promise<T> {
  const { place, manifest, targets } = prepared;
  const stored = targets.map((target) => target.stored);
  return keepArtifactsHere(place.repository, place.record.backup, manifest.id, stored, session.context, (repository) =>
    use({ ...prepared, place: { ...place, repository } }),
  );
}

/**
 * Everything that must hold before a destination is touched: nothing in its way, stored bytes as the manifest has them,
 * the checks of the policy true. Throws a `guard` or `integrity` error.
 */
export async function checkRestore(session: Session, prepared: PreparedRestore): Promise<void> {
  const context = stoppable(session);
  const { place, manifest } = prepared;
  assertNothingInTheWay(prepared);
  for (const target of prepared.targets) {
    for (const artifact of target.stored.artifacts) {
      const key = snapshotFolder(place.record.backup, manifest.id) + artifact.key;
      await verifyStored(artifact, { repository: place.repository, key }, context, (bytes) =>
        context.emit({ type: 'progress', subject: `checking ${target.name}`, bytes, totalBytes: artifact.storedBytes }),
      );
    }
    await checkContents(session, prepared, target);
  }
}

/** Throws what stands in the way of a restore at its destinations, as they were looked at. */
export function assertNothingInTheWay({ targets }: PreparedRestore): void {
  for (const target of targets) {
    const obstacle = obstacleAt(target);
    if (obstacle !== null) throw obstacle;
  }
}

/**
 * Throws what engines would throw before they change anything: to be asked before safety snapshots, which may take hours
 * and would be for nothing.
 */
export async function assertRestorable(session: Session, prepared: PreparedRestore): Promise<void> {
  for (const target of prepared.targets.filter(needsSafety)) {
    const { engine } = target;
    await engine.assertRestorable?.(requestOf(session, prepared, target, false), stoppable(session));
  }
}

/** The policy's checks on the artifact itself, where its engine can ask it; `previous` means nothing here. */
async function checkContents(session: Session, prepared: PreparedRestore, target: PreparedTarget): Promise<void> {
  const { place, manifest } = prepared;
  const { engine } = target;
  const checks = absoluteChecks(prepared, target).filter((check) => 'facts' in check || engine.query !== undefined);
  const queries = checks.flatMap((check) => ('sql' in check ? [check.sql] : []));
  if (checks.length === 0) return;
  const context = stoppable(session);
  const artifacts = openArtifacts(place.repository, place.record.backup, manifest.id, target.stored, context);
  const answers = queries.length === 0 ? [] : ((await engine.query?.(artifacts, queries, context)) ?? []);
  for (const check of checks) {
    const value = 'sql' in check ? answers[queries.indexOf(check.sql)] : factAt(target.stored.facts, check.facts);
    assertHolds(target, check, value);
  }
}

/** The same at the destination, for engines that can only ask a server. */
function acceptance(prepared: PreparedRestore, target: PreparedTarget): Pick<RestoreRequest<Target>, 'accept'> {
  const checks = absoluteChecks(prepared, target).filter((check) => 'sql' in check);
  if (checks.length === 0 || target.engine.query !== undefined) return {};
  // They speak of the whole.
  if (target.mode === 'merge' || target.paths.length > 0) return {};
  return {
    accept: async (query) => {
      for (const check of checks) if ('sql' in check) assertHolds(target, check, await query(check.sql));
    },
  };
}

const absoluteChecks = ({ found }: PreparedRestore, { resolved }: PreparedTarget): readonly Check[] =>
  (found.backup.checks[resolved.name] ?? []).filter((check) => !check.expect.relative);

function assertHolds(target: PreparedTarget, check: Check, value: FactValue | undefined): void {
  if (value === undefined) throw integrityError(`cannot restore ${target.name}: ${checkName(check)} gives no value`);
  const outcome = judge(check, value, undefined);
  if (outcome.ok) return;
  throw integrityError(
    `cannot restore ${target.name}: ${outcome.check} is ${factText(value)}, expected ${outcome.expect}`,
  );
}

/**
 * Restores every target, one after the other. The first failure is thrown when nothing was restored before it, else
 * reported, because then some destinations are already the restored ones.
 */
export async function runRestore(
  session: Session,
  prepared: PreparedRestore,
  options: { readonly skipConflicts: boolean },
): Promise<RestoreReport> {
  const outcomes: Record<string, RestoreOutcome> = {};
  for (const target of prepared.targets) {
    try {
      outcomes[target.name] = await restoreTarget(session, prepared, target, options.skipConflicts);
    } catch (error) {
      if (Object.keys(outcomes).length === 0) throw error;
      return { outcomes, failed: { target: target.name, error: explain(target, error) } };
    }
  }
  return { outcomes, failed: null };
}

async function restoreTarget(
  session: Session,
  prepared: PreparedRestore,
  target: PreparedTarget,
  skipConflicts: boolean,
): Promise<RestoreOutcome> {
  const context = stoppable(session);
  const outcome = await target.engine.restore(requestOf(session, prepared, target, skipConflicts), context);
  context.emit({ type: 'note', message: `restored ${target.name}` });
  for (const message of outcome.warnings) context.emit({ type: 'warning', message: `${target.name}: ${message}` });
  return outcome;
}

function requestOf(
  session: Session,
  prepared: PreparedRestore,
  target: PreparedTarget,
  skipConflicts: boolean,
): RestoreRequest<Target> {
  const { place, manifest } = prepared;
  const { destination, mode, paths, noOwner, stored } = target;
  const whole = mode !== 'merge' && paths.length === 0;
  const areFactsKnown = Object.keys(stored.facts).length > 0;
  return {
    destination,
    mode,
    artifacts: openArtifacts(place.repository, place.record.backup, manifest.id, stored, stoppable(session)),
    paths,
    skipConflicts,
    noOwner,
    expectedFacts: whole && areFactsKnown ? stored.facts : null,
    ...(areFactsKnown ? { artifactFacts: stored.facts } : {}),
    snapshot: manifest.id,
    ...acceptance(prepared, target),
  };
}

const explain = (target: PreparedTarget, error: unknown): unknown =>
  error instanceof BkpError
    ? error
    : targetError(`cannot restore ${target.name}: ${reasonOf(error)}`, { cause: error });
