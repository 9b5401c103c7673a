/** The crash scenario, killed by itself right before a step: `node crash-child.ts ROOT STEP`. Says how far it came. */
import { writeSync } from 'node:fs';
import { systemClock } from '../../src/system/clock.ts';
import { describeHost } from '../../src/system/host.ts';
import { crashScenario } from './crash-scenario.ts';

const [root = '', killAt = ''] = process.argv.slice(2);
const context = {
  clock: systemClock,
  host: describeHost(),
  signal: new AbortController().signal,
  emit: () => undefined,
};
await crashScenario(
  root,
  context,
  async (_, number) => {
    if (number !== Number(killAt)) return;
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => undefined);
  },
  (word) => writeSync(1, `${word}\n`),
);
