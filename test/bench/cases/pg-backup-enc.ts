import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import type { BenchCase } from '../case.ts';
import { startBenchServer } from '../data/postgres.ts';
import { cpuRatio, roundRobin, wallRatio } from '../round-robin.ts';
import { applySide, shellSide } from './pg-sides.ts';

const BKP = 'bkp apply, age';
const RESTIC = 'pg_dump, restic backup --stdin';

export const pgBackupEncrypted: BenchCase = {
  name: 'pg-backup-enc',
  title: 'dump of the same database, compressed and encrypted by age, beside restic with a new repository',
  tools: { zstd: 'zstd', age: 'age', restic: 'restic' },
  async run(lab) {
    const server = await startBenchServer();
    try {
      const recipient = await identityToRecipient(await generateX25519Identity());
      const encrypted = { encryption: { recipients: [recipient] } };
      const backup = 'pg_dump -w -Fc -Z0 | restic -q --no-cache -r dump backup --stdin';
      const restic = shellSide(
        lab,
        server,
        RESTIC,
        `export RESTIC_PASSWORD=bench; restic -q init -r dump && ${backup}`,
      );
      const results = await roundRobin([applySide(lab, server, BKP, { checks: 'fast' }, encrypted), restic], lab.runs);
      return {
        sides: results,
        verdicts: [wallRatio(results, BKP, RESTIC, 0.8), cpuRatio(results, BKP, RESTIC, 0.7)],
      };
    } finally {
      await server.stop();
    }
  },
};
