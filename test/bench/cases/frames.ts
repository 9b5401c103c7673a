import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import type { BenchCase } from '../case.ts';
import { makeDatabase } from '../data/database.ts';
import type { Lab } from '../lab.ts';
import { writePolicy } from '../policy.ts';

const BYTES = 5_000_000;
const FIRST_FRAME = 'the first of two frames';
const NO_PROGRAMS = '/nonexistent';

export const frames: BenchCase = {
  name: 'frames',
  title: 'damaged, cut and many-framed zstd objects with a manifest that vouches for them: fail, or decode whole',
  tools: { zstd: 'zstd' },
  async run(lab) {
    const cwd = lab.emptyFolder('frames');
    makeDatabase(join(cwd, 'app.db'), BYTES);
    writePolicy(cwd, { type: 'sqlite', path: 'app.db' });
    const made = start(lab, cwd, ['apply', '--yes', '--init-repositories']);
    if (made.status !== 0) throw new Error(made.stderr);
    const stored = storedArtifact(cwd);
    const whole = readFileSync(stored.path);
    const original = downloaded(lab, cwd);
    if (original === null) throw new Error('the whole object cannot be downloaded');
    const failures: string[] = [];
    for (const path of [undefined, NO_PROGRAMS]) {
      for (const [name, bytes] of Object.entries(variants(whole, original))) {
        // Without its size the first of two frames is a whole object like any other.
        const sizes = name === FIRST_FRAME ? [original.length] : [original.length, null];
        for (const rawBytes of sizes) {
          stored.replace(bytes, rawBytes);
          const got = downloaded(lab, cwd, path);
          if (got !== null && !got.equals(original))
            failures.push(`${name}, ${path === undefined ? 'with' : 'without'} the zstd program, size ${rawBytes}`);
          if (got === null && name === 'untouched') failures.push(`${name} cannot be read`);
        }
      }
    }
    for (const failure of failures) process.stderr.write(`frames: wrong content: ${failure}\n`);
    return {
      sides: [],
      verdicts: [{ label: 'objects read wrongly', values: [failures.length], unit: 'failures', atMost: 0 }],
    };
  },
};

function variants(whole: Buffer, original: Buffer): Readonly<Record<string, Buffer>> {
  const flipped = Buffer.from(whole);
  const middle = Math.floor(whole.length / 2);
  flipped[middle] = (flipped[middle] ?? 0) ^ 1;
  const half = Math.floor(original.length / 2);
  const two = [original.subarray(0, half), original.subarray(half)].map((part) => zstdCompressSync(part));
  return {
    untouched: whole,
    'one flipped bit': flipped,
    'cut by one byte': whole.subarray(0, -1),
    'cut in half': whole.subarray(0, middle),
    empty: Buffer.alloc(0),
    'two frames': Buffer.concat(two),
    [FIRST_FRAME]: two[0] ?? Buffer.alloc(0),
    'bytes after the frame': Buffer.concat([whole, Buffer.from('more')]),
  };
}

const start = (
  lab: Lab,
  cwd: string,
  args: readonly string[],
  path?: string,
): { readonly status: number | null; readonly stderr: string } => {
  const { argv, env } = lab.bkp(args, { cwd, ...(path === undefined ? {} : { path }) });
  return spawnSync(argv[0] ?? '', argv.slice(1), { cwd, env: { ...process.env, ...env }, encoding: 'utf8' });
};

/** What `bkp download --native` wrote; null where it failed. */
function downloaded(lab: Lab, cwd: string, path?: string): Buffer | null {
  const into = join(cwd, 'out');
  rmSync(into, { recursive: true, force: true });
  rmSync(join(cwd, 'cache'), { recursive: true, force: true });
  const { status } = start(lab, cwd, ['download', 'main@latest', into, '--native'], path);
  if (status !== 0 || !existsSync(into)) return null;
  const [name = ''] = readdirSync(into);
  return readFileSync(join(into, name));
}

interface StoredArtifact {
  readonly path: string;
  /** Puts other bytes in its place and makes the manifest vouch for them. */
  replace(bytes: Buffer, rawBytes: number | null): void;
}

function storedArtifact(cwd: string): StoredArtifact {
  const [id = ''] = readdirSync(join(cwd, 'repository', 'snapshots', 'main'));
  const path = join(cwd, 'repository', 'snapshots', 'main', id, 'data.db.zst');
  const manifestPath = join(cwd, 'repository', 'manifests', 'main', `${id}.json`);
  return {
    path,
    replace(bytes, rawBytes) {
      const manifest = JSON.parse(readFileSync(manifestPath, 'utf8'));
      const artifact = manifest.targets.data.artifacts[0];
      artifact.storedBytes = bytes.length;
      artifact.storedSha256 = createHash('sha256').update(bytes).digest('hex');
      artifact.rawBytes = rawBytes;
      writeFileSync(path, bytes);
      writeFileSync(manifestPath, JSON.stringify(manifest));
    },
  };
}
