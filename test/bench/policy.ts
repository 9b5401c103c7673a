import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Keys = Readonly<Record<string, unknown>>;

/** Writes a policy with one backup `main` of one target, into the one repository given. */
export function writePolicyInto(folder: string, target: Keys, repository: Keys): void {
  const policy = {
    version: 1,
    name: 'bench',
    repositories: { local: repository },
    targets: { data: target },
    backups: { main: { targets: ['data'], repositories: ['local'] } },
  };
  writeFileSync(join(folder, 'bkp.yaml'), JSON.stringify(policy, null, 2));
}

/** The same into the folder `repository` beside it; `changes` are keys of the repository. */
export const writePolicy = (folder: string, target: Keys, changes: Keys = {}): void =>
  writePolicyInto(folder, target, { type: 'directory', path: 'repository', ...changes });

export const filePolicy = (folder: string, path: string, compression = 'zstd'): void =>
  writePolicy(folder, { type: 'files', paths: [path], compression });
