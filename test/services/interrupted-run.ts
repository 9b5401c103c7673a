import { constants } from 'node:os';
import { postgres15 } from './postgres.ts';

/** What vitest does with a run that is interrupted: it exits, and no teardown is heard of. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
}
const { connection } = await postgres15.start('', process.argv[2] ?? '');
process.stdout.write(`${connection['pid']}\n`);
setInterval(() => undefined, 60_000);
