import { engineOf } from '../engines/registry.ts';
import { BkpError, reasonOf, targetError } from '../errors.ts';
import { resolveTarget } from '../policy/references.ts';
import type { ResolvedBackup, ResolvedTarget } from '../policy/resolved-policy.ts';
import type { Repository } from '../repositories/repository.ts';
import type { Manifest, ManifestTarget, SnapshotKind } from '../snapshots/manifest.ts';
import { MANIFEST_FORMAT } from '../snapshots/manifest.ts';
import type { SnapshotReference } from '../snapshots/inventory.ts';
import type { Lease } from '../snapshots/held-lease.ts';
import { cleanRemains } from '../snapshots/remove-remains.ts';
import { beginSnapshot, type SnapshotDraft } from '../snapshots/snapshot-draft.ts';
import { withTimeLimits } from '../streams/time-limits.ts';
import { ownNames } from './backup-view.ts';
import type { Beside } from './besides.ts';
import { captureTarget, failedTarget } from './capture-target.ts';
import type { ListedFolders } from './earlier-files.ts';
import { definitionDigest, definitionsOf } from './definition.ts';
import { eachLimited } from '../each-limited.ts';
import { encryptionFor, type WantedEncryption } from './encryption-of.ts';
import { afterHooks, runAfterHooks, runBeforeHooks } from './hooks.ts';
import { releaseReferences } from './release-references.ts';
import type { OpenRun } from './run-record-writer.ts';
import { sealManifest } from './seal-manifest.ts';
import { stoppable, type Session } from './session.ts';
import { compressorThreads } from './threads.ts';

export interface CreateInput {
  readonly backup: ResolvedBackup;
  readonly targets: readonly ResolvedTarget[];
  readonly kind: SnapshotKind;
  readonly id: string;
  readonly startedAt: Date;
  readonly tick: Date | null;
  readonly repository: Repository;
  readonly lease: Lease;
  /** The last good snapshot's manifest, for `previous` in checks and for progress. */
  readonly previous: Manifest | undefined;
  /** Files that the repository has already. */
  readonly earlier: ListedFolders;
  /** Told when the `after` hooks have run. */
  readonly run: OpenRun;
  /** Repositories that are given the same in the same pass. Whoever began the snapshot there commits it, or drops it. */
  readonly besides: readonly Beside[];
}

export interface CreateOutcome {
  readonly manifest: Manifest;
  /** What went wrong without spoiling the snapshot: failed `after` hooks. */
  readonly flaws: readonly string[];
}

/**
 * Captures a backup: hooks before, all targets, hooks after, then the manifest. Throws when not even one target could be
 * captured; nothing is left behind then, also after an abort.
 */
export async function executeCreate(session: Session, input: CreateInput): Promise<CreateOutcome> {
  const { repository, lease, id, backup } = input;
  const name = { backup: backup.name, id };
  const encryption = encryptionFor(session, backup, repository);
  const writer = await beginSnapshot(repository, { ...name, policy: session.policy.name }, lease, session.context);
  const left: SnapshotReference[] = [];
  try {
    const { targets, flaws } = await captureBetweenHooks(session, { ...input, encryption, left }, writer);
    const captured = Object.values(targets).filter((target) => target.status === 'captured');
    session.signal.throwIfAborted();
    if (captured.length === 0) throw nothingCaptured(input.backup, targets);
    const manifest = describeSnapshot(session, input, targets);
    await writer.commit(await sealManifest(manifest, encryption, session.context));
    return { manifest, flaws };
  } catch (error) {
    await cleanRemains(repository, { ...name, policyNames: [session.policy.name] }, lease, session.context).catch(
      () => undefined,
    );
    const problems = await releaseReferences(session, name, left, byName(input.targets));
    for (const message of problems) session.context.emit({ type: 'warning', message });
    throw error;
  }
}

const byName = (targets: readonly ResolvedTarget[]): Readonly<Record<string, ResolvedTarget>> =>
  Object.fromEntries(targets.map((target) => [target.name, target]));

interface EncryptedInput extends CreateInput {
  readonly encryption: WantedEncryption | null;
  /** Given what targets left with their servers. */
  readonly left: SnapshotReference[];
}

async function captureBetweenHooks(
  session: Session,
  input: EncryptedInput,
  writer: SnapshotDraft,
): Promise<{ readonly targets: Readonly<Record<string, ManifestTarget>>; readonly flaws: readonly string[] }> {
  const { backup, run } = input;
  let succeeded = false;
  let flaws: readonly string[] = [];
  const targets: Record<string, ManifestTarget> = {};
  try {
    await runBeforeHooks(backup, session.lookups, stoppable(session));
    const results = await eachLimited(input.targets, backup.parallelism, (target) =>
      captureOne(session, input, target, writer),
    );
    input.targets.forEach((target, index) => {
      const result = results[index];
      if (result !== undefined) targets[target.name] = result;
    });
    succeeded = Object.values(targets).every((target) => target.status === 'captured');
  } finally {
    // Not the stoppable context: what was stopped must be started again, also after a signal.
    flaws = await runAfterHooks(afterHooks(backup, succeeded), session.lookups, session.context);
    await run.hooksDone();
  }
  return { targets, flaws };
}

async function captureOne(
  session: Session,
  input: EncryptedInput,
  target: ResolvedTarget,
  writer: SnapshotDraft,
): Promise<ManifestTarget> {
  const context = stoppable(session);
  try {
    const { config, secrets } = resolveTarget(target, session.lookups);
    session.lookups.onSecrets(secrets);
    const { idleTimeoutMs, timeoutMs } = input.backup;
    const captured = await withTimeLimits(
      `capture ${target.name}`,
      { idleTimeoutMs, timeoutMs },
      context,
      (limited, progressed) =>
        captureTarget(
          {
            target,
            config,
            engine: engineOf(config.type),
            checks: input.backup.checks[target.name] ?? [],
            previous: previousOf(target, input.previous),
            earlier: ownNames(target).flatMap((name) => input.earlier.get(name) ?? [])[0],
            repository: input.repository,
            encryption: input.encryption,
            origin: {
              policy: session.policy.name,
              backup: input.backup.name,
              snapshot: input.id,
              target: target.name,
              run: input.lease.owner.run,
            },
            afterwards: session.context,
            threads: compressorThreads(context.host.cpus, Math.min(input.backup.parallelism, input.targets.length)),
            besides: input.besides,
            addKey: (key) => writer.addKey(key),
            progressed,
          },
          limited,
        ),
    );
    for (const reference of captured.references ?? []) input.left.push({ target: target.name, ...reference });
    return captured;
  } catch (error) {
    if (session.signal.aborted) throw error;
    const message = reasonOf(error);
    context.emit({
      type: 'target-finished',
      target: target.name,
      status: 'failed',
      rawBytes: 0,
      storedBytes: 0,
      message,
      hint: error instanceof BkpError ? (error.hint ?? null) : null,
    });
    return failedTarget({ target }, message);
  }
}

/** The target in the last good snapshot, under the name it had then. */
const previousOf = (target: ResolvedTarget, previous: Manifest | undefined): ManifestTarget | undefined =>
  ownNames(target)
    .map((name) => previous?.targets[name])
    .find((known) => known !== undefined);

function nothingCaptured(backup: ResolvedBackup, targets: Readonly<Record<string, ManifestTarget>>): Error {
  const reasons = Object.values(targets).map((target) => target.error ?? 'unknown reason');
  if (reasons.length === 1) return targetError(reasons[0] ?? '');
  return targetError(`cannot capture ${backup.name}: no target could be captured: ${reasons.join('; ')}`);
}

function describeSnapshot(
  session: Session,
  input: CreateInput,
  targets: Readonly<Record<string, ManifestTarget>>,
): Manifest {
  const isWhole = Object.values(targets).every((target) => target.status === 'captured');
  return {
    formatVersion: MANIFEST_FORMAT,
    policy: session.policy.name,
    backup: input.backup.name,
    id: input.id,
    kind: input.kind,
    status: isWhole ? 'created' : 'partial',
    tick: input.tick?.toISOString() ?? null,
    startedAt: input.startedAt.toISOString(),
    finishedAt: session.context.clock.now().toISOString(),
    tool: { bkp: session.bkpVersion },
    definitionSha256: definitionDigest(definitionsOf({ targets: input.targets })),
    protect: input.backup.protect,
    targets,
    policyFiles: session.policy.files,
  };
}
