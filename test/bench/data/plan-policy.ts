import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { definitionDigest } from '../../../src/reconcile/definition.ts';
import { backupName, makeSnapshots, targetNames } from './snapshots.ts';

const HOUR_MS = 3_600_000;

/**
 * A policy of daily backups with a repository that holds all their snapshots, so that a plan has nothing to do and keeps
 * every one for a reason.
 */
export function makePlanned(folder: string, backups: number, perBackup: number): void {
  const newest = new Date(Math.floor((Date.now() - 2 * HOUR_MS) / HOUR_MS) * HOUR_MS);
  const names = targetNames();
  const definition = { type: 'files', paths: ['/etc/hostname'] };
  const definitionSha256 = definitionDigest(Object.fromEntries(names.map((name) => [name, definition])));
  const policy = {
    version: 1,
    name: 'bench',
    repositories: { local: { type: 'directory', path: 'repository' } },
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
  makeSnapshots(join(folder, 'repository'), { backups, perBackup, definitionSha256, newest });
}
