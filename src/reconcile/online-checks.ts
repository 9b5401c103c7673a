import type { Problem } from '../engines/engine.ts';
import { engineOf } from '../engines/registry.ts';
import { BkpError, reasonOf } from '../errors.ts';
import { formatBytes } from '../format-bytes.ts';
import { resolveHookEnv, resolveTarget } from '../policy/references.ts';
import type { Hook, ResolvedTarget } from '../policy/resolved-policy.ts';
import type { Keeping } from '../repositories/object-versions.ts';
import { keepingOf } from '../snapshots/object-lock.ts';
import { probeExclusiveCreate } from '../snapshots/probe-repository.ts';
import { indexFolders, viewBackup } from './backup-view.ts';
import { findSnapshot } from './find-snapshot.ts';
import type { Observation, ObservedRepository } from './observation.ts';
import { count } from './phrases.ts';
import { obstacleAt, prepareRestore, type PreparedTarget, type RestoreOrder } from './prepare-restore.ts';
import { checkRestore } from './run-restore.ts';
import { stoppable, type Session } from './session.ts';

/** One thing that was looked at, in one line. */
export interface OnlineCheck {
  /** `target app-db`, `repository nas`, `restore app-db`. */
  readonly subject: string;
  readonly ok: boolean;
  /** True for what does not fail, but should be known. */
  readonly warning: boolean;
  /** What was found, or what is wrong. */
  readonly message: string;
  readonly hint: string | null;
}

const good = (subject: string, message: string): OnlineCheck => ({
  subject,
  ok: true,
  warning: false,
  message,
  hint: null,
});
const warn = (subject: string, { message, hint }: Problem): OnlineCheck => ({
  subject,
  ok: true,
  warning: true,
  message,
  hint: hint ?? null,
});
const bad = (subject: string, message: string, hint?: string | null): OnlineCheck => ({
  subject,
  ok: false,
  warning: false,
  message,
  hint: hint ?? null,
});

/** Reaches every target: there, readable, tools fit, sizes known. Changes nothing. */
export async function checkTargets(session: Session): Promise<readonly OnlineCheck[]> {
  const used = new Map(
    session.policy.backups.flatMap((backup) => backup.targets).map((target) => [target.name, target]),
  );
  const checks: OnlineCheck[] = [];
  for (const target of used.values()) checks.push(...(await checkTarget(session, target)));
  for (const backup of session.policy.backups) {
    const phased = (['before', 'after'] as const).flatMap((phase) =>
      backup.hooks[phase].map((hook) => ({ phase, hook })),
    );
    for (const { phase, hook } of phased) {
      const subject = `${phase} hook of ${backup.name}`;
      const found = session.context.findTool(hook.argv[0]);
      if (found === undefined) checks.push(bad(subject, `${hook.argv[0]}: no such program on PATH`));
      else checks.push(await guarded(subject, async () => checkHook(session, hook, subject, found)));
    }
  }
  return checks;
}

function checkHook(session: Session, hook: Hook, subject: string, found: string): OnlineCheck {
  session.lookups.onSecrets(resolveHookEnv(hook, session.lookups).secrets);
  return good(subject, found);
}

async function checkTarget(session: Session, target: ResolvedTarget): Promise<readonly OnlineCheck[]> {
  const subject = `target ${target.name}`;
  try {
    const { config, secrets } = resolveTarget(target, session.lookups);
    session.lookups.onSecrets(secrets);
    const { versions, estimatedBytes, problems, warnings } = await engineOf(config.type).probe(
      config,
      stoppable(session),
    );
    const known = warnings.map((warning) => warn(subject, warning));
    if (problems.length > 0) return [...problems.map(({ message, hint }) => bad(subject, message, hint)), ...known];
    const version = [versions.server, versions.tool].filter((part) => part !== null).join(', ');
    return [
      good(
        subject,
        `${config.type}${version === '' ? '' : ` ${version}`}${estimatedBytes === null ? '' : `, ${formatBytes(estimatedBytes)}`}`,
      ),
      ...known,
    ];
  } catch (error) {
    return [failed(subject, error)];
  }
}

/** Repositories: what they should be, writable with a working exclusive create, room for the next snapshots. */
export async function checkRepositories(
  session: Session,
  observation: Observation,
  canWrite: boolean,
): Promise<readonly OnlineCheck[]> {
  const checks: OnlineCheck[] = [];
  for (const observed of observation.repositories) {
    const subject = `repository ${observed.name}`;
    if (observed.state !== 'ready') checks.push(bad(subject, observed.message, observed.hint));
    else checks.push(await guarded(subject, () => checkRepository(session, observation, observed, canWrite)));
  }
  return checks;
}

async function checkRepository(
  session: Session,
  observation: Observation,
  { name }: ObservedRepository,
  canWrite: boolean,
): Promise<OnlineCheck> {
  const subject = `repository ${name}`;
  const repository = session.repositories.find((opened) => opened.name === name)?.repository;
  if (repository === undefined || repository === null) return bad(subject, 'it is not open');
  const keeping = await keepingOf(repository);
  if (canWrite) await probeExclusiveCreate(repository, session.newId(session.context.clock.now()));
  const free = await repository.freeBytes();
  const needed = neededBytes(session, observation, name);
  if (free !== undefined && free < needed)
    return bad(subject, `${formatBytes(free)} are free, the next snapshots need about ${formatBytes(needed)}`);
  const snapshots = observation.repositories.flatMap((one) =>
    one.name === name && one.state === 'ready' ? one.inventory.snapshots : [],
  ).length;
  return good(
    subject,
    `${repository.location}, ${count(snapshots, 'snapshot')}${canWrite ? ', writable' : ''}${free === undefined ? '' : `, ${formatBytes(free)} free`}${keeping === undefined ? '' : `, ${describeKeeping(keeping)}`}`,
  );
}

/** What protects a bucket against who has its credentials. */
export function describeKeeping({ versions, objectLock, lockDays }: Keeping): string {
  if (!versions) return 'no versioning and no object lock: who can write there can delete all of it';
  if (!objectLock) return 'versioned, no object lock';
  return lockDays === null ? 'object lock, not used' : `locked for ${count(lockDays, 'day')}`;
}

/** Stored size of the newest good snapshot of every backup that uses the repository. */
function neededBytes(session: Session, observation: Observation, repository: string): number {
  const folders = indexFolders(observation);
  return session.policy.backups
    .filter((backup) => backup.repositories.includes(repository))
    .reduce(
      (sum, backup) => sum + (viewBackup(session.policy, backup, folders).good.at(-1)?.record.storedBytes ?? 0),
      0,
    );
}

/** A restore that may leave open with which mode it will be: then what stands at its destinations is only told. */
export type RestoreQuestion = Omit<RestoreOrder, 'mode'> & { readonly mode: RestoreOrder['mode'] | null };

/** What a restore needs: hashes right, formats readable, destinations reachable and in the state that the mode needs. */
export async function checkForRestore(
  session: Session,
  observation: Observation,
  reference: string,
  question: RestoreQuestion,
): Promise<readonly OnlineCheck[]> {
  try {
    const found = findSnapshot(session, observation, reference);
    const prepared = await prepareRestore(session, found, {
      ...question,
      mode: question.mode ?? (() => 'replace'),
    });
    const checks = prepared.targets.map((target): OnlineCheck => {
      const obstacle = obstacleAt(target);
      const subject = `restore ${target.name}`;
      return obstacle === null
        ? good(subject, describeDestination(target, question.mode !== null))
        : failed(subject, obstacle);
    });
    const hashes = await guarded(`snapshot ${reference}`, async () => {
      await checkRestore(session, {
        ...prepared,
        targets: prepared.targets.filter((target) => obstacleAt(target) === null),
      });
      return good(`snapshot ${reference}`, 'every stored byte is as the manifest has it');
    });
    return [hashes, ...checks];
  } catch (error) {
    return [failed(`snapshot ${reference}`, error)];
  }
}

function describeDestination({ place, engine, mode, state }: PreparedTarget, isModeGiven: boolean): string {
  if (state.state === 'unknown') return `${place}: ${state.description}`;
  if (state.state !== 'occupied') return `${place} is free (${state.description})`;
  if (isModeGiven) return `${place} is taken (${state.description}), as --mode ${mode} expects`;
  const modes = engine.capabilities.modes.filter((mode) => mode !== 'new').map((mode) => `--mode ${mode}`);
  return `${place} is taken (${state.description}): ${modes.join(' or ')}`;
}

async function guarded(subject: string, check: () => Promise<OnlineCheck>): Promise<OnlineCheck> {
  try {
    return await check();
  } catch (error) {
    return failed(subject, error);
  }
}

function failed(subject: string, error: unknown): OnlineCheck {
  if (error instanceof BkpError && error.code === 'interrupted') throw error;
  return bad(subject, reasonOf(error), error instanceof BkpError ? (error.hint ?? null) : null);
}
