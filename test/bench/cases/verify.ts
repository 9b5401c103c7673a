import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from '../case.ts';
import { makeRandomFile } from '../data/large-file.ts';
import { filePolicy } from '../policy.ts';
import { roundRobin, wallRatio } from '../round-robin.ts';

const BYTES = 1_000_000_000;

export const verify: BenchCase = {
  name: 'verify',
  title: '`bkp verify` of a stored artifact of 1 GB, beside `openssl dgst -sha256` of the same file',
  tools: { openssl: 'openssl', tar: 'tar' },
  async run(lab) {
    const cwd = lab.emptyFolder('verify');
    const source = makeRandomFile(join(cwd, 'source'), BYTES);
    filePolicy(cwd, source, 'none');
    const { argv, env } = lab.bkp(['apply', '--yes', '--init-repositories'], { cwd });
    execFileSync(argv[0] ?? '', argv.slice(1), { cwd, env: { ...process.env, ...env }, stdio: 'ignore' });
    rmSync(source);
    const openssl = 'exec openssl dgst -sha256 repository/snapshots/main/*/data.tar';
    const results = await roundRobin(
      [
        { name: 'openssl dgst -sha256', command: { argv: ['sh', '-c', openssl], cwd } },
        { name: 'bkp verify', command: lab.bkp(['verify', 'main@latest'], { cwd }) },
      ],
      lab.runs,
    );
    rmSync(cwd, { recursive: true });
    return { sides: results, verdicts: [wallRatio(results, 'bkp verify', 'openssl dgst -sha256', 1.8)] };
  },
};
