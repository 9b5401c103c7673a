import { BkpError, guardError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import type { Lease } from '../snapshots/held-lease.ts';
import { repositoryIdentity } from '../snapshots/identity.ts';
import type { ApplyOptions, BackupExecution } from './execution.ts';
import type { Session } from './session.ts';
import type { PlannedRepository, Step } from './step.ts';
import { takeLease } from './take-lease.ts';

export interface LeasedWork {
  readonly backup: string;
  readonly steps: readonly Step[];
  /** The repositories as the plan found them. */
  readonly planned: readonly PlannedRepository[];
  readonly run: string;
}

/** The leases of a run, and the repositories that cannot be written to, with the reason. */
export interface AcquiredLeases {
  readonly held: BackupExecution['repositories'];
  readonly unwritable: BackupExecution['unwritable'];
}

/**
 * Takes the lease of a backup in every repository that its steps write to; a restore is remembered everywhere. Throws
 * before anything is written to a place that is not the repository of the plan. One that cannot be written to keeps the
 * others from nothing.
 */
export async function acquireLeases(
  session: Session,
  { backup, steps, planned, run }: LeasedWork,
  options: ApplyOptions,
): Promise<AcquiredLeases> {
  const hasRestore = steps.some((step) => step.action === 'restore');
  const everywhere = hasRestore ? (session.policy.backups.find((one) => one.name === backup)?.repositories ?? []) : [];
  const names = new Set([...steps.map((step) => step.repository), ...everywhere]);
  const held = new Map<string, { repository: Repository; lease: Lease }>();
  const unwritable = new Map<string, BkpError>();
  try {
    for (const { name, repository } of session.repositories) {
      if (!names.has(name) || repository === null) continue;
      const request = { backup, purpose: options.command, run, waitMs: options.lockTimeoutMs };
      try {
        await assertPlanned(repository, planned.find((one) => one.name === name)?.id ?? null);
        held.set(name, { repository, lease: await takeLease(session, repository, request) });
      } catch (error) {
        if (!(error instanceof BkpError) || error.code !== 'repository' || hasRestore) throw error;
        unwritable.set(name, error);
      }
    }
    const [problem] = unwritable.values();
    if (held.size === 0 && problem !== undefined) throw problem;
  } catch (error) {
    await releaseLeases(held);
    throw error;
  }
  return { held, unwritable };
}

/** An unmounted disk must not be taken for an empty repository, not even between a plan and its first step. */
async function assertPlanned(repository: Repository, id: string | null): Promise<void> {
  const identity = (await repository.exists()) ? await repositoryIdentity(repository) : undefined;
  if (identity !== undefined && (id === null || identity.id === id)) return;
  throw guardError(`cannot write to ${repository.location}: it is not the repository that was planned for`, {
    hint: 'is it mounted? plan again',
  });
}

/** Lets others have the leases at once. One that cannot be released ends with its time. */
export async function releaseLeases(held: BackupExecution['repositories']): Promise<void> {
  for (const { lease } of held.values()) await lease.release().catch(() => undefined);
}
