import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseManifest } from '../../../src/snapshots/manifest-codec.ts';
import { makeId } from '../../../src/snapshots/ids.ts';
import type { Manifest } from '../../../src/snapshots/manifest.ts';
import { createRandom } from './words.ts';

export interface SnapshotData {
  readonly backups: number;
  readonly perBackup: number;
  /** SHA-256 of the definition behind them, as the policy's. */
  readonly definitionSha256: string;
  /** Start of the newest snapshot of each backup; the others are a day apart. */
  readonly newest: Date;
}

const DAY_MS = 86_400_000;
const TARGETS = 5;

/** Writes a repository of daily snapshots with five targets each: manifests of about 2 KB, and of artifacts what announces them. */
export function makeSnapshots(repository: string, data: SnapshotData): void {
  mkdirSync(repository, { recursive: true, mode: 0o700 });
  const identity = { formatVersion: 1, id: randomUUID(), createdAt: new Date().toISOString() };
  writeFileSync(join(repository, 'bkp-repository.json'), JSON.stringify(identity));
  const random = createRandom(100);
  for (let index = 0; index < data.backups; index += 1) {
    const backup = backupName(index);
    const manifests = join(repository, 'manifests', backup);
    const folders = join(repository, 'snapshots', backup);
    mkdirSync(manifests, { recursive: true });
    mkdirSync(folders, { recursive: true });
    for (let age = data.perBackup - 1; age >= 0; age -= 1) {
      const startedAt = new Date(data.newest.getTime() - age * DAY_MS);
      const id = makeId(startedAt, Buffer.from(Array.from({ length: 6 }, () => Math.floor(random() * 256))));
      const bytes = Buffer.from(JSON.stringify(manifestOf(backup, id, startedAt, data.definitionSha256)));
      if (age === 0) assertManifest(bytes, backup, id);
      writeFileSync(join(manifests, `${id}.json`), bytes, { mode: 0o600 });
      mkdirSync(join(folders, id));
      writeFileSync(join(folders, id, 'begin.json'), '{}', { mode: 0o600 });
    }
  }
}

export const backupName = (index: number): string => `backup-${String(index).padStart(3, '0')}`;
export const targetNames = (): readonly string[] => Array.from({ length: TARGETS }, (_, index) => `target-${index}`);

function manifestOf(backup: string, id: string, startedAt: Date, definitionSha256: string): Manifest {
  const at = startedAt.toISOString();
  const target = (name: string): Manifest['targets'][string] => ({
    type: 'files',
    status: 'captured',
    error: null,
    pointInTime: [at, at],
    versions: { server: null, tool: '1.34' },
    definition: {},
    facts: { entries: 12_345 },
    warnings: [],
    checks: [],
    artifacts: [
      {
        key: `${name}.tar.zst`,
        name: '',
        format: 'tar-pax',
        compression: 'zstd',
        encryption: null,
        rawBytes: 510_000_000,
        storedBytes: 96_700_000,
        storedSha256: createHash('sha256').update(`${id} ${name}`).digest('hex'),
      },
    ],
    restore: [`zstd -dc ${name}.tar.zst | tar -x -C /`],
  });
  return {
    formatVersion: 1,
    policy: 'bench',
    backup,
    id,
    kind: 'backup',
    status: 'created',
    tick: at,
    startedAt: at,
    finishedAt: new Date(startedAt.getTime() + 5000).toISOString(),
    tool: { bkp: '0.1.0' },
    definitionSha256,
    protect: false,
    targets: Object.fromEntries(targetNames().map((name) => [name, target(name)])),
    policyFiles: {},
  };
}

function assertManifest(bytes: Buffer, backup: string, id: string): void {
  const parsed = parseManifest(bytes, { backup, id });
  if (!parsed.ok) throw new Error(`the made manifest is wrong: ${parsed.message}`);
}
