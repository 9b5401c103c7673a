import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes a policy with one backup `main` of one target, into the repository folder `repository` beside it. */
export function writePolicy(folder: string, target: Readonly<Record<string, unknown>>): void {
  const policy = {
    version: 1,
    name: 'bench',
    repositories: { local: { type: 'directory', path: 'repository' } },
    targets: { data: target },
    backups: { main: { targets: ['data'], repositories: ['local'] } },
  };
  writeFileSync(join(folder, 'bkp.yaml'), JSON.stringify(policy, null, 2));
}

export const filePolicy = (folder: string, path: string, compression = 'zstd'): void =>
  writePolicy(folder, { type: 'files', paths: [path], compression });
