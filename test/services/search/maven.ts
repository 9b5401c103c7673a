import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const project = (inner: string): string =>
  `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
  <groupId>bkp</groupId><artifactId>server</artifactId><version>1</version><packaging>pom</packaging>${inner}</project>`;

/**
 * Has Maven bring what a project asks for into a folder below `folder`, finishes it there and returns that. What appears
 * under its name is whole, so that runs at the same time may all install it: one wins.
 */
export async function installByMaven(
  folder: string,
  {
    inner,
    goal,
    finish,
    as = 'server',
  }: {
    readonly inner: string;
    readonly goal: readonly string[];
    readonly finish: (partial: string) => Promise<void>;
    /** What the folder is called: another for what was changed, since what is there is kept. */
    readonly as?: string;
  },
): Promise<string> {
  const installed = join(folder, as);
  if (existsSync(installed)) return installed;
  const partial = mkdtempSync(join(folder, 'partial-'));
  try {
    writeFileSync(join(partial, 'pom.xml'), project(inner));
    await run('mvn', ['-B', '-q', ...goal], { cwd: partial, maxBuffer: 64 * 1024 * 1024 });
    await finish(partial);
    chmodSync(partial, 0o755);
    try {
      renameSync(partial, installed);
    } catch (error) {
      if (!existsSync(installed)) throw error;
    }
    return installed;
  } catch (error) {
    const said = String((error as { readonly stdout?: string }).stdout ?? '').trim();
    throw new Error(
      `cannot bring a search server with mvn (Debian package maven): ${said.split('\n')[0] || String(error)}`,
      {
        cause: error,
      },
    );
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
