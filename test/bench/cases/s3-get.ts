import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from '../case.ts';
import { makeRandomFile } from '../data/large-file.ts';
import { startBenchStore } from '../data/store.ts';
import { nodeMemory } from '../flat-verdicts.ts';
import { writePolicyInto } from '../policy.ts';
import { roundRobin, wallRatio } from '../round-robin.ts';
import { resticSide } from './s3-put.ts';

const BYTES = 1_000_000_000;
const BKP = 'bkp restore';
const RESTIC = 'restic restore';

export const s3Get: BenchCase = {
  name: 's3-get',
  title: 'the same file back out of the store: verified, then restored',
  tools: { restic: 'restic', tar: 'tar' },
  async run(lab) {
    const store = await startBenchStore();
    const cwd = lab.emptyFolder('s3-get');
    try {
      const source = makeRandomFile(join(cwd, 'source'), BYTES);
      writePolicyInto(cwd, { type: 'files', paths: [source], compression: 'none' }, store.repository('bkp'));
      const run = (argv: readonly string[], env: Readonly<Record<string, string>>): void =>
        void execFileSync(argv[0] ?? '', argv.slice(1), { cwd, env: { ...process.env, ...env }, stdio: 'ignore' });
      const apply = lab.bkp(['apply', '--yes', '--init-repositories'], { cwd });
      run(apply.argv, apply.env ?? {});
      const restic = resticSide(lab, store, RESTIC, 'restic -q --no-cache restore latest --target out');
      const { env = {} } = restic.command;
      run(['sh', '-c', `restic -q init && restic -q --no-cache backup ${source}`], env);
      const remove = (path: string): void => rmSync(path, { recursive: true, force: true });
      const results = await roundRobin(
        [
          {
            name: BKP,
            command: lab.bkp(['restore', 'main@latest', '--into', 'root=out', '--yes'], { cwd }),
            after: () => remove(join(cwd, 'out')),
          },
          { ...restic, after: () => remove(join(restic.command.cwd ?? '', 'out')) },
        ],
        lab.runs,
      );
      return { sides: results, verdicts: [nodeMemory(results, BKP), wallRatio(results, BKP, RESTIC, null)] };
    } finally {
      await store.stop();
      rmSync(cwd, { recursive: true, force: true });
    }
  },
};
