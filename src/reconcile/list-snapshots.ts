import type { SnapshotRecord } from '../snapshots/inventory.ts';
import { isBeingRemoved, isDamaged, protection, verifiedAt } from '../snapshots/standing.ts';
import { byStart, ownNames } from './backup-view.ts';
import { removedPlace, removedSnapshots } from './find-stored.ts';
import type { Observation } from './observation.ts';
import { restoringNow } from './restoring-runs.ts';
import type { Session } from './session.ts';

/** One snapshot, or what is left of one, in one repository. */
export interface ListedSnapshot {
  readonly id: string;
  readonly backup: string;
  readonly repository: string;
  readonly kind: 'backup' | 'safety' | 'adopted';
  readonly status: 'creating' | 'created' | 'partial' | 'restoring' | 'incomplete' | 'deleted';
  readonly createdAt: string;
  readonly sizeBytes: number;
  readonly storedBytes: number;
  readonly targets: readonly string[];
  readonly verifiedAt: string | null;
  readonly drilledAt: null;
  readonly protected: boolean;
  readonly damaged: boolean;
  /** It lacks the signature that the policy asks for. */
  readonly unsigned: boolean;
  /** What it means lies with a server: it is a reference, in whole or in part. */
  readonly reference: boolean;
}

/** Everything in the readable repositories of a session, newest first; `backup` narrows it to one. */
export function listSnapshots(session: Session, observation: Observation, backup?: string): readonly ListedSnapshot[] {
  const { host, clock } = session.context;
  const now = clock.now().toISOString();
  const known = session.policy.backups.find((one) => one.name === backup);
  const folders = backup === undefined ? null : known === undefined ? [backup] : ownNames(known);
  const wanted = (name: string): boolean => folders === null || folders.includes(name);
  const listed = observation.repositories.flatMap((observed): readonly ListedSnapshot[] => {
    if (observed.state !== 'ready') return [];
    const { snapshots, remains, runs } = observed.inventory;
    const restoring = restoringNow(runs, host);
    return [
      ...snapshots
        .filter((snapshot) => wanted(snapshot.backup))
        .toSorted(byStart)
        .map((snapshot) => listSnapshot(observed.name, snapshot, restoring.has(snapshot.id))),
      ...remains
        .filter((left) => wanted(left.backup))
        .map((left): ListedSnapshot => ({
          id: left.id,
          backup: left.backup,
          repository: observed.name,
          kind: 'backup',
          status: left.inProgress || (left.keptUntil ?? '') > now ? 'creating' : 'incomplete',
          createdAt: startOf(left.id),
          sizeBytes: 0,
          storedBytes: 0,
          targets: [],
          verifiedAt: null,
          drilledAt: null,
          protected: false,
          damaged: false,
          unsigned: false,
          reference: false,
        })),
    ];
  });
  return listed.toSorted((a, b) =>
    a.createdAt === b.createdAt ? (a.repository < b.repository ? -1 : 1) : a.createdAt < b.createdAt ? 1 : -1,
  );
}

/** Snapshots whose manifest somebody removed while the store keeps versions of it, newest first. */
export async function listDeleted(
  session: Session,
  observation: Observation,
  backup?: string,
): Promise<readonly ListedSnapshot[]> {
  const known = session.policy.backups.find((one) => one.name === backup);
  const folders = known === undefined ? [backup] : ownNames(known);
  const listed: ListedSnapshot[] = [];
  for (const removed of removedSnapshots(session, observation)) {
    if (backup !== undefined && !folders.includes(removed.backup)) continue;
    const place = await removedPlace(removed, session.context);
    if (place !== undefined) listed.push({ ...listSnapshot(removed.name, place.record, false), status: 'deleted' });
  }
  return listed.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
}

function listSnapshot(repository: string, snapshot: SnapshotRecord, isRestoringNow: boolean): ListedSnapshot {
  return {
    id: snapshot.id,
    backup: snapshot.backup,
    repository,
    kind: snapshot.kind,
    status: isRestoringNow ? 'restoring' : isBeingRemoved(snapshot) ? 'incomplete' : snapshot.status,
    createdAt: snapshot.startedAt,
    sizeBytes: snapshot.sizeBytes,
    storedBytes: snapshot.storedBytes,
    targets: Object.keys(snapshot.targets),
    verifiedAt: verifiedAt(snapshot),
    drilledAt: null,
    protected: protection(snapshot) !== null,
    damaged: isDamaged(snapshot),
    unsigned: snapshot.unsigned !== undefined,
    reference: snapshot.references !== undefined,
  };
}

/** `20261119T020000Z-…` → ISO. */
const startOf = (id: string): string =>
  `${id.slice(0, 4)}-${id.slice(4, 6)}-${id.slice(6, 8)}T${id.slice(9, 11)}:${id.slice(11, 13)}:${id.slice(13, 15)}.000Z`;
