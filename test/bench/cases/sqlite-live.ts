import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { BenchCase } from '../case.ts';
import { makeDatabase } from '../data/database.ts';
import { startLiveWriter } from '../live-writer.ts';
import { writePolicy } from '../policy.ts';
import { roundRobin, wallRatio } from '../round-robin.ts';
import { percentile } from '../statistics.ts';

const BYTES = 1_000_000_000;
const IDLE_MS = 5000;
const PEER = 'VACUUM INTO; zstd -3 -T2';
const BKP = 'bkp apply';

export const sqliteLive: BenchCase = {
  name: 'sqlite-live',
  title: 'snapshot of a 1 GB database while another process writes 200 commits a second, checked, counted and hashed',
  tools: { sqlite3: 'sqlite3', zstd: 'zstd' },
  async run(lab) {
    const cwd = lab.emptyFolder('sqlite-live');
    const database = join(cwd, 'app.db');
    makeDatabase(database, BYTES);
    writePolicy(cwd, { type: 'sqlite', path: 'app.db' });
    const tails: Record<string, number[]> = { idle: [], [PEER]: [], [BKP]: [] };
    let writer = await startLiveWriter(database);
    const note = async (side: string, ...remains: readonly string[]): Promise<void> => {
      const took = await writer.stop();
      tails[side]?.push(percentile(took, 0.99));
      for (const name of remains) rmSync(join(cwd, name), { recursive: true, force: true });
    };
    const begin = async (): Promise<void> => {
      writer = await startLiveWriter(database);
    };
    await note('warm-up');
    const peer = `sqlite3 app.db "VACUUM INTO 'copy.db'" && zstd -q -3 -T2 copy.db -o copy.db.zst && rm copy.db`;
    const results = await roundRobin(
      [
        {
          name: PEER,
          command: { argv: ['sh', '-c', peer], cwd },
          before: async () => {
            await begin();
            await setTimeout(IDLE_MS);
            await note('idle');
            await begin();
          },
          after: () => note(PEER, 'copy.db', 'copy.db.zst'),
        },
        {
          name: BKP,
          command: lab.bkp(['apply', '--yes', '--init-repositories'], { cwd }),
          before: begin,
          after: () => note(BKP, 'repository', 'cache'),
        },
      ],
      lab.runs,
    );
    rmSync(cwd, { recursive: true });
    const slower = (side: string): readonly number[] =>
      (tails[side] ?? []).map((ms, run) => ms / (tails['idle']?.[run] ?? Number.NaN));
    return {
      sides: results,
      verdicts: [
        wallRatio(results, BKP, PEER, 1.2),
        { label: 'writer p99, bkp / idle', values: slower(BKP), unit: 'x', atMost: 2 },
        { label: 'writer p99, peer / idle', values: slower(PEER), unit: 'x', atMost: null },
      ],
    };
  },
};
