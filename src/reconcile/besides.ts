import type { Context } from '../context.ts';
import { areSameRecipients } from '../encryption/recipient.ts';
import { BkpError } from '../errors.ts';
import type { ResolvedBackup } from '../policy/resolved-policy.ts';
import type { Repository } from '../repositories/repository.ts';
import type { Lease } from '../snapshots/held-lease.ts';
import type { Manifest, ManifestTarget } from '../snapshots/manifest.ts';
import { cleanRemains } from '../snapshots/remove-remains.ts';
import { beginSnapshot, type SnapshotDraft } from '../snapshots/snapshot-draft.ts';
import { listsFiles } from './earlier-files.ts';
import { encryptionFor, type WantedEncryption } from './encryption-of.ts';
import type { BackupExecution } from './execution.ts';
import { sealManifest } from './seal-manifest.ts';
import type { Session } from './session.ts';
import type { Step } from './step.ts';

/** A repository that is given a snapshot while it is captured into another one. */
export interface Beside {
  readonly repository: Repository;
  readonly lease: Lease;
  readonly encryption: WantedEncryption | null;
  /** Null where the snapshot could not be begun. */
  readonly draft: SnapshotDraft | null;
  /** The targets as they are stored here, by name. */
  readonly targets: Map<string, ManifestTarget>;
  /** What went wrong first; nothing more is stored here then. */
  problem: unknown;
}

/**
 * Begins the snapshot of a capture in every repository that is better filled in the same pass than by a copy: those for
 * other readers, because a copy would have to be decrypted, and all where a copy would have to be fetched back from a store
 * elsewhere. By the id of the copy's step, which tells what could not be done.
 */
export async function beginBesides(
  execution: BackupExecution,
  capture: Step,
  id: string,
): Promise<ReadonlyMap<string, Beside>> {
  const { session, backup, repositories } = execution;
  const home = repositories.get(capture.repository)?.repository;
  const besides = new Map<string, Beside>();
  if (backup === undefined || home === undefined) return besides;
  // Many files are better copied one by one, those that are there already not at all.
  if (listsFiles(backup)) return besides;
  const inHome = encryptionFor(session, backup, home);
  const isElsewhere = home.localPath('any') === undefined;
  for (const step of execution.steps) {
    const held = repositories.get(step.repository);
    if (step.action !== 'copy' || step.snapshotFrom !== capture.id || held === undefined) continue;
    const { repository, lease } = held;
    const encryption = encryptionIfUsable(session, backup, repository);
    // Its copy says why.
    if (encryption === undefined) continue;
    const mustDecrypt = inHome !== null && !areSameRecipients(inHome.recipients, encryption?.recipients ?? []);
    if (!mustDecrypt && !isElsewhere) continue;
    const request = { backup: backup.name, id, policy: session.policy.name, ownBytes: encryption !== null };
    const beside: Beside = { repository, lease, encryption, draft: null, targets: new Map(), problem: undefined };
    try {
      besides.set(step.id, { ...beside, draft: await beginSnapshot(repository, request, lease, session.context) });
    } catch (error) {
      besides.set(step.id, { ...beside, problem: error });
    }
  }
  return besides;
}

/** Undefined where nothing can be encrypted for those who are to read it there. */
function encryptionIfUsable(
  session: Session,
  backup: ResolvedBackup,
  repository: Repository,
): WantedEncryption | null | undefined {
  try {
    return encryptionFor(session, backup, repository);
  } catch (error) {
    if (error instanceof BkpError) return undefined;
    throw error;
  }
}

/** Makes the snapshot exist beside, as the manifest of the capture has it. Throws what kept it from being stored. */
export async function commitBeside(beside: Beside, captured: Manifest, context: Context): Promise<void> {
  if (beside.draft === null || beside.problem !== undefined) throw beside.problem;
  const targets = Object.entries(captured.targets).map(
    ([name, target]) => [name, beside.targets.get(name) ?? target] as const,
  );
  const manifest = { ...captured, targets: Object.fromEntries(targets) };
  await beside.draft.commit(await sealManifest(manifest, beside.encryption, context));
}

/** Takes away what was stored beside. What cannot be taken away now is cleaned by a later run. */
export async function dropBeside({ repository, lease, draft }: Beside, session: Session): Promise<void> {
  if (draft === null) return;
  const remains = { backup: draft.backup, id: draft.id, policyNames: [session.policy.name] };
  await cleanRemains(repository, remains, lease, session.context).catch(() => undefined);
}
