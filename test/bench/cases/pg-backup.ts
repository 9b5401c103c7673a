import type { BenchCase } from '../case.ts';
import { startBenchServer } from '../data/postgres.ts';
import { cpuRatio, roundRobin, wallRatio } from '../round-robin.ts';
import { applySide, FAST, FULL, PIPE, pipeSide } from './pg-sides.ts';

export const pgBackup: BenchCase = {
  name: 'pg-backup',
  title: 'dump of a PostgreSQL database of about 1 GB into a directory, hashed; by default counted twice as well',
  tools: { zstd: 'zstd' },
  async run(lab) {
    const server = await startBenchServer();
    try {
      const results = await roundRobin(
        [
          pipeSide(lab, server),
          applySide(lab, server, FAST, { checks: 'fast' }),
          applySide(lab, server, FULL, { checks: 'full' }),
        ],
        lab.runs,
      );
      return {
        sides: results,
        verdicts: [
          wallRatio(results, FAST, PIPE, 1.2),
          cpuRatio(results, FAST, PIPE, 1.25),
          wallRatio(results, FULL, PIPE, 1.6),
        ],
      };
    } finally {
      await server.stop();
    }
  },
};
