import type { Readable } from 'node:stream';
import type { Context, ProcessEnd } from '../../../context.ts';
import { integrityError, throwIfAborted } from '../../../errors.ts';
import type { CheckResult, Facts, IncomingArtifact, RawReader } from '../../engine.ts';
import { type DumpFormat, storedFormat } from '../archive/dump-formats.ts';
import { feedProgram, inspected } from '../../feed-program.ts';
import { unreadableError } from './judge-restore.ts';
import { onlyArchive } from '../archive/only-archive.ts';
import { openSqlInspector } from '../archive/sql-script.ts';
import type { ToolFinder } from '../server/tools.ts';
import { type CountedDump, unpackWhole } from '../archive/unpack-dump.ts';

/**
 * Decodes a whole dump without a server, an archive twice at once: bkp's own reader counts what is in it, pg_restore writes
 * the script that it would run. Throws `integrity` where either stumbles or the two differ.
 */
export async function checkPostgres(
  artifacts: readonly IncomingArtifact[],
  tools: ToolFinder,
  context: Context,
): Promise<CheckResult> {
  const artifact = onlyArchive(artifacts);
  const format = storedFormat(artifact);
  if (format.word === 'plain') return { facts: await readAlone(artifact, format) };
  const { program } = await tools.newest('pg_restore');
  if (format.word !== 'custom') {
    const unpacked = await unpackWhole(format.word, artifact, context);
    return { facts: await readUnpacked(unpacked, program, context) };
  }
  let facts: Facts = {};
  await artifact.into({
    kind: 'reader',
    read: async (raw) => {
      facts = await readBoth(raw, format.open(), program, context);
    },
  });
  return { facts };
}

/** A script needs no decoding: it is what would run. */
async function readAlone(artifact: IncomingArtifact, { open }: DumpFormat): Promise<Facts> {
  const reader = open();
  await artifact.into({ kind: 'reader', read: (raw) => drain(raw, reader) });
  return reader.end();
}

async function readUnpacked(dump: CountedDump, program: string, context: Context): Promise<Facts> {
  try {
    const script = openSqlInspector();
    const argv = [program, '--file=-', dump.path] as const;
    const { stdout, closed } = context.start({ argv }, { stdin: 'ignore', stdout: 'pipe' });
    if (stdout === null) throw new Error('a program without an output');
    const ended = closed.then((end) => judge(program, end));
    await settled([drain(stdout, script), ended], context);
    return agreed(dump.facts, script.end());
  } finally {
    await dump.remove();
  }
}

async function readBoth(raw: Readable, archive: RawReader, program: string, context: Context): Promise<Facts> {
  const script = openSqlInspector();
  const running = context.start({ argv: [program, '--file=-'] }, { stdin: 'pipe', stdout: 'pipe' });
  if (running.stdout === null) throw new Error('a program without an output');
  let inArchive: Facts = {};
  const seen: RawReader = {
    push: (chunk) => archive.push(chunk),
    end: () => (inArchive = archive.end()),
  };
  const ended = running.closed.then((end) => judge(program, end));
  await settled([feedProgram(running, inspected(raw, seen)), drain(running.stdout, script), ended], context);
  return agreed(inArchive, script.end());
}

/** Waits for all, then throws the first failure. */
async function settled(parts: readonly Promise<void>[], context: Context): Promise<void> {
  const results = await Promise.allSettled(parts);
  throwIfAborted(context.signal);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

function agreed(inArchive: Facts, inScript: Facts): Facts {
  if (JSON.stringify(inArchive) === JSON.stringify(inScript)) return inArchive;
  throw integrityError('cannot trust the archive: pg_restore writes other rows than it holds');
}

async function drain(stream: Readable, reader: RawReader): Promise<void> {
  for await (const chunk of stream) reader.push(chunk as Buffer);
}

function judge(program: string, end: ProcessEnd): void {
  if (end.exitCode !== 0) throw unreadableError(program, end);
}
