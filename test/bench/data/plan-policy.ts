import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { definitionDigest } from '../../../src/reconcile/definition.ts';
import { backupName, makeSnapshots, targetNames } from './snapshots.ts';

const HOUR_MS = 3_600_000;

export interface Planned {
  /** Writes the policy again, with the repository reached in another way. */
  readonly moveTo: (repository: Readonly<Record<string, unknown>>) => void;
}

/** A policy of daily backups with a folder as repository, so that a plan has nothing to do and keeps all for a reason. */
export const makePlanned = (folder: string, backups: number, perBackup: number): Planned =>
  makePlannedIn(folder, { type: 'directory', path: 'repository' }, join(folder, 'repository'), backups, perBackup);

/** The same with a repository whose objects are files in some folder. */
export function makePlannedIn(
  folder: string,
  repository: Readonly<Record<string, unknown>>,
  objects: string,
  backups: number,
  perBackup: number,
): Planned {
  const newest = new Date(Math.floor((Date.now() - 2 * HOUR_MS) / HOUR_MS) * HOUR_MS);
  const names = targetNames();
  const definition = { type: 'files', paths: ['/etc/hostname'] };
  const definitionSha256 = definitionDigest(Object.fromEntries(names.map((name) => [name, definition])));
  const moveTo: Planned['moveTo'] = (local) => {
    const policy = {
      version: 1,
      name: 'bench',
      repositories: { local },
      targets: Object.fromEntries(names.map((name) => [name, definition])),
      defaults: { retention: { daily: perBackup }, repositories: ['local'] },
      backups: Object.fromEntries(
        Array.from({ length: backups }, (_, index) => [
          backupName(index),
          { targets: names, schedule: `0 ${newest.getUTCHours()} * * *` },
        ]),
      ),
    };
    writeFileSync(join(folder, 'bkp.yaml'), JSON.stringify(policy, null, 2));
  };
  moveTo(repository);
  makeSnapshots(objects, { backups, perBackup, definitionSha256, newest });
  return { moveTo };
}
