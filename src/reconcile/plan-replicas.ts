import { isDamaged, isGood, newestMark } from '../snapshots/standing.ts';
import type { SnapshotRecord } from '../snapshots/inventory.ts';
import type { BackupRepository, BackupView, GoodSnapshot } from './backup-view.ts';
import { draft, stepKey, type Draft } from './draft.ts';
import { formatInstant } from './phrases.ts';
import { reason } from './reasons.ts';

/** Copies of a snapshot that this plan makes to the backup's other repositories. */
export function planNewCopies(view: BackupView, create: Draft): readonly Draft[] {
  return view.repositories
    .filter((repository) => repository.state === 'ready' && repository.name !== create.repository)
    .map((repository) =>
      draft(view.backup, {
        action: 'copy',
        repository: repository.name,
        from: create.repository,
        snapshotFrom: stepKey(create),
        dependsOn: [stepKey(create)],
        estimate: { readBytes: create.estimate.writeBytes, writeBytes: create.estimate.writeBytes },
        reason: reason('replica-missing', 'the new snapshot belongs into every repository of the backup'),
        source: view.backup.sources['repositories'] ?? view.backup.source,
      }),
    );
}

/** What brings kept snapshots back into a repository that lacks them or holds them damaged. */
export function planReplicas(
  view: BackupView,
  repository: BackupRepository,
  kept: ReadonlySet<string>,
): readonly Draft[] {
  return view.good
    .filter(({ record }) => kept.has(record.id))
    .flatMap((snapshot) => planReplica(view, repository, snapshot));
}

function planReplica(view: BackupView, repository: BackupRepository, snapshot: GoodSnapshot): readonly Draft[] {
  const { record, holders } = snapshot;
  const from = holders[0];
  const here = repository.snapshots.get(record.id);
  if (from === undefined || repository.released.has(record.id) || repository.unreadable.has(record.id)) return [];
  if (here !== undefined && isGood(here)) return [];
  const common = {
    repository: repository.name,
    from,
    snapshot: record.id,
    targets: Object.keys(record.targets),
    kind: record.kind,
    estimate: { readBytes: record.storedBytes, writeBytes: record.storedBytes },
    source: view.backup.sources['repositories'] ?? view.backup.source,
  };
  if (here === undefined) {
    const message = `${formatInstant(record.startedAt)} is kept but is only in ${holders.join(', ')}`;
    return [draft(view.backup, { ...common, action: 'copy', reason: reason('replica-missing', message, { holders }) })];
  }
  const artifacts = damagedArtifacts(here);
  const what = artifacts.length === 0 ? 'its files are gone' : `damaged: ${artifacts.join(', ')}`;
  return [
    draft(view.backup, {
      ...common,
      action: 'replace',
      artifacts,
      reason: reason('replica-corrupt', `${what}; a good copy is in ${from}`, { artifacts }),
    }),
  ];
}

/** Artifact keys that the newest `damaged` mark names; empty when all are affected or the folder is gone. */
function damagedArtifacts(snapshot: SnapshotRecord): readonly string[] {
  if (!snapshot.folderPresent || !isDamaged(snapshot)) return [];
  const artifacts = newestMark(snapshot.marks, 'damaged')?.data['artifacts'];
  return Array.isArray(artifacts) ? artifacts.filter((key): key is string => typeof key === 'string') : [];
}
