import { createHash } from 'node:crypto';
import type { ResolvedPolicy } from '../policy/resolved-policy.ts';
import type { RepositoryInventory } from '../snapshots/inventory.ts';
import { ownNames } from './backup-view.ts';
import type { Step } from './step.ts';

/** Backup folders whose contents a plan with these steps rests on, earlier names included. */
export function touchedFolders(policy: ResolvedPolicy, steps: readonly Pick<Step, 'backup'>[]): ReadonlySet<string> {
  const backups = new Set(steps.map((step) => step.backup));
  const known = policy.backups.filter((backup) => backups.has(backup.name)).flatMap(ownNames);
  return new Set([...backups, ...known]);
}

/**
 * SHA-256 over the manifest keys, marks and remains of some backup folders: what a saved plan was made from. Runs and
 * leases are left out, because reading and locking change nothing a plan rests on.
 */
export function inventoryDigest(inventory: RepositoryInventory, folders: ReadonlySet<string>): string {
  const within = (thing: { readonly backup: string }): boolean => folders.has(thing.backup);
  const lines = [
    ...[...inventory.snapshots, ...inventory.gone]
      .filter(within)
      .flatMap(({ backup, id, marks, ...rest }) => [
        `${backup}/${id}${'unsigned' in rest ? ' unsigned' : ''}`,
        ...marks.map((mark) => `${backup}/${id} ${mark.at} ${mark.kind}`),
      ]),
    ...inventory.remains.filter(within).map(({ backup, id, kind }) => `${backup}/${id} ${kind}`),
    ...(inventory.tampered ?? []).filter(within).map(({ backup, id, how }) => `${backup}/${id} ${how}`),
    ...inventory.unreadable.filter(within).map(({ backup, id, reason }) => `${backup}/${id} ${reason}`),
  ];
  const hash = createHash('sha256');
  for (const line of lines.toSorted()) hash.update(`${line}\n`);
  return hash.digest('hex');
}
