import { writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { JobName, ReaderName } from '../context.ts';
import type { RawReader } from '../engines/engine.ts';
import { hasErrnoCode } from '../errors.ts';
import { answerOf, failureOf, type JobAnswer } from './job-protocol.ts';
import { readThrough } from './read-through.ts';
import { ANSWER_FD } from './run-reader.ts';

const JOBS: Readonly<Record<JobName, () => Promise<(input: unknown) => unknown>>> = {
  'demo-writer': async () => (await import('../demo/writer.ts')).writeEvents,
  sqlite: async () => (await import('../engines/sqlite/job.ts')).runSqliteJob,
};

const READERS: Readonly<Record<`read-${ReaderName}`, () => Promise<() => RawReader>>> = {
  'read-mysql-dump': async () => (await import('../engines/mysql/dump/inspector.ts')).openDumpInspector,
  'read-mysql-mydumper': async () => (await import('../engines/mysql/dump/folder-reader.ts')).openFolderInspector,
  'read-mongo-archive': async () => (await import('../engines/mongodb/archive/archive-facts.ts')).openArchiveInspector,
  'read-pg-custom': async () => (await import('../engines/postgres/archive/custom-archive.ts')).openCustomInspector,
  'read-pg-directory': async () => (await import('../engines/postgres/archive/tar-archive.ts')).openDirectoryInspector,
  'read-pg-plain': async () => (await import('../engines/postgres/archive/sql-script.ts')).openSqlInspector,
  'read-pg-tar': async () => (await import('../engines/postgres/archive/tar-archive.ts')).openTarInspector,
  'read-tar': async () => (await import('../engines/files/archive-reader.ts')).openArchiveInspector,
};

async function runJob(name: JobName): Promise<void> {
  process.stdout.write(
    JSON.stringify(await answerTo(async () => (await JOBS[name]())(JSON.parse(await text(process.stdin))))),
  );
}

async function runReader(name: keyof typeof READERS): Promise<void> {
  const answer = await answerTo(async () => readThrough((await READERS[name]())()));
  writeFileSync(ANSWER_FD, JSON.stringify(answer));
}

async function answerTo(act: () => unknown): Promise<JobAnswer> {
  try {
    return answerOf(await act());
  } catch (error) {
    if (hasErrnoCode(error, 'EPIPE')) lostReader();
    return failureOf(error);
  }
}

/** Whoever took our output has gone, and says itself why. */
function lostReader(): never {
  process.stderr.write('broken pipe\n');
  process.exit(1);
}

const [, , name = ''] = process.argv;
await (Object.hasOwn(READERS, name) ? runReader(name as keyof typeof READERS) : runJob(name as JobName));
