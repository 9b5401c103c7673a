import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from '../case.ts';
import { makePlanned } from '../data/plan-policy.ts';
import { assertNothingToDo } from '../nothing-to-do.ts';
import { roundRobin, wallRatioToFastest } from '../round-robin.ts';

const SNAPSHOTS = 200;
const RESTIC = 'restic snapshots';
const BORG = 'borg list';
/** So short that one run says little. */
const RUNS_FACTOR = 3;

export const plan200: BenchCase = {
  name: 'plan-200',
  title: '`bkp plan` over 200 snapshots, beside `restic snapshots` and `borg list` of as many',
  tools: { restic: 'restic', borg: 'borgbackup' },
  async run(lab) {
    const cwd = lab.emptyFolder('plan-200');
    makePlanned(cwd, 1, SNAPSHOTS);
    assertNothingToDo(lab.bkp(['plan', '--format', 'json'], { cwd }));
    const restic = resticRepository(lab.dataFolder);
    const borg = borgRepository(lab.dataFolder);
    const results = await roundRobin(
      [
        { name: 'bkp plan', command: lab.bkp(['plan'], { cwd }) },
        { name: RESTIC, command: { argv: ['restic', '-r', restic, 'snapshots'], env: PEER_ENV } },
        { name: BORG, command: { argv: ['borg', 'list', borg], env: PEER_ENV } },
      ],
      lab.runs * RUNS_FACTOR,
    );
    return { sides: results, verdicts: [wallRatioToFastest(results, 'bkp plan', [RESTIC, BORG], 0.5)] };
  },
};

const PEER_ENV = {
  RESTIC_PASSWORD: 'bench',
  BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
  BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
};

const resticRepository = (folder: string): string =>
  madeOnce(folder, `restic-${SNAPSHOTS}`, (path, run) => {
    run('restic', '-q', '-r', path, 'init');
    return () => run('restic', '-q', '-r', path, 'backup', '/etc/hostname');
  });

const borgRepository = (folder: string): string =>
  madeOnce(folder, `borg-${SNAPSHOTS}`, (path, run) => {
    run('borg', 'init', '--encryption=none', path);
    return (index) => run('borg', 'create', `${path}::snapshot-${index}`, '/etc/hostname');
  });

type Run = (command: string, ...args: readonly string[]) => void;

/** Making 200 snapshots takes the peers minutes, so they are kept. */
function madeOnce(folder: string, name: string, begin: (path: string, run: Run) => (index: number) => void): string {
  const path = join(folder, name);
  const stamp = join(path, 'complete');
  if (existsSync(`${path}.complete`)) return path;
  rmSync(path, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const run: Run = (command, ...args) =>
    void execFileSync(command, args, { env: { ...process.env, ...PEER_ENV }, stdio: 'ignore' });
  const make = begin(path, run);
  for (let index = 0; index < SNAPSHOTS; index += 1) make(index);
  writeFileSync(stamp, '');
  renameSync(stamp, `${path}.complete`);
  return path;
}
