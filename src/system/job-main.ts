import { text } from 'node:stream/consumers';
import type { JobName } from '../context.ts';
import { answerOf, failureOf, type JobAnswer } from './job-protocol.ts';

const JOBS: Readonly<Record<JobName, () => Promise<(input: unknown) => unknown>>> = {
  'demo-writer': async () => (await import('../demo/writer.ts')).writeEvents,
  sqlite: async () => (await import('../engines/sqlite/job.ts')).runSqliteJob,
};

async function main(): Promise<void> {
  let answer: JobAnswer;
  try {
    const run = await JOBS[process.argv[2] as JobName]();
    answer = answerOf(await run(JSON.parse(await text(process.stdin))));
  } catch (error) {
    answer = failureOf(error);
  }
  process.stdout.write(JSON.stringify(answer));
}

await main();
