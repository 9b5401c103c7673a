import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from '../case.ts';
import { makePlannedIn } from '../data/plan-policy.ts';
import { startSlowProxy } from '../data/slow-proxy.ts';
import { startBenchStore } from '../data/store.ts';
import { nodeMemory } from '../flat-verdicts.ts';
import { assertNothingToDo } from '../nothing-to-do.ts';
import { roundRobin, wallRatio, wallSeconds } from '../round-robin.ts';

const BACKUPS = 100;
const PER_BACKUP = 1000;
const DELAY_MS = 50;
/** A page of manifests for every thousand, one of folders for every backup, and one each of backups, marks, runs, leases. */
const PAGES = BACKUPS + BACKUPS + 4;
const RESTIC_SNAPSHOTS = 50;
const BKP = 'bkp plan, cold';
const RESTIC = `restic snapshots, ${RESTIC_SNAPSHOTS} of them`;

export const listS3Latency: BenchCase = {
  name: 'list-s3-latency',
  title: `\`bkp plan\` over 100,000 snapshots in an S3 store with ${DELAY_MS} ms added to each request, nothing cached here, a fresh index there; \`restic snapshots\` over ${RESTIC_SNAPSHOTS} in the same store, without its cache`,
  tools: { restic: 'restic' },
  async run(lab) {
    const store = await startBenchStore();
    const proxy = await startSlowProxy(store.endpoint, DELAY_MS);
    const cwd = lab.emptyFolder('list-s3-latency');
    const restic = lab.emptyFolder('list-s3-latency-restic');
    try {
      const forget = (): void => rmSync(join(cwd, 'cache'), { recursive: true, force: true });
      const near = makePlannedIn(cwd, store.repository('bkp'), store.folder('bkp'), BACKUPS, PER_BACKUP);
      store.give('bkp');
      run(lab.bkp(['catalog', 'rebuild'], { cwd }));
      assertNothingToDo(lab.bkp(['plan', '--format', 'json'], { cwd }));
      near.moveTo({ ...store.repository('bkp'), endpoint: proxy.endpoint });
      const counts: number[] = [];
      const env = { ...store.env, RESTIC_PASSWORD: 'bench' };
      const at = (endpoint: string): Readonly<Record<string, string>> => ({
        ...env,
        RESTIC_REPOSITORY: `s3:${endpoint}/${store.bucket}/restic`,
      });
      const resticNear = (...args: readonly string[]): void =>
        run({ argv: ['restic', '-q', ...args], cwd: restic, env: at(store.endpoint) });
      resticNear('init');
      for (let index = 0; index < RESTIC_SNAPSHOTS; index += 1) resticNear('backup', '/etc/hostname');
      const results = await roundRobin(
        [
          {
            name: BKP,
            command: lab.bkp(['plan'], { cwd }),
            before: () => {
              forget();
              proxy.count();
            },
            after: () => void counts.push(proxy.count() - PAGES),
          },
          {
            name: RESTIC,
            command: { argv: ['restic', 'snapshots', '--no-cache'], cwd: restic, env: at(proxy.endpoint) },
          },
        ],
        lab.runs,
      );
      return {
        sides: results,
        verdicts: [
          wallSeconds(results, BKP, 10),
          { label: `requests besides ${PAGES} pages`, values: counts, unit: 'requests', atMost: 3 },
          nodeMemory(results, BKP),
          wallRatio(results, BKP, RESTIC, null),
        ],
      };
    } finally {
      proxy.stop();
      await store.stop();
      for (const folder of [cwd, restic]) rmSync(folder, { recursive: true, force: true });
    }
  },
};

interface Unmeasured {
  readonly argv: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const run = ({ argv, cwd, env }: Unmeasured): void =>
  void execFileSync(argv[0] ?? '', argv.slice(1), { cwd, env: { ...process.env, ...env }, stdio: 'ignore' });
