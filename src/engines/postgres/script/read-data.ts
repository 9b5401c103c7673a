import type { Readable } from 'node:stream';
import type { Context, RunningProcess } from '../../../context.ts';
import { targetError, throwIfAborted } from '../../../errors.ts';
import type { IncomingArtifact } from '../../engine.ts';
import { readHead } from './head.ts';
import { readScript, type ScriptPart } from './copy-script.ts';
import { storedFormat } from '../archive/dump-formats.ts';
import { feedProgram } from '../../feed-program.ts';
import { judgeRestore } from './judge-restore.ts';
import { readChosen } from './read-script-head.ts';
import { choiceOf } from './choice.ts';
import { openSectionParser, type Section } from './sections.ts';
import { type UnpackedDump, unpackWhole } from '../archive/unpack-dump.ts';

type Take = (part: ScriptPart) => Promise<void>;

/** Hands out the definitions of an archive in the order in which they are restored. */
export async function readDefinitions(
  artifact: IncomingArtifact,
  program: string,
  context: Context,
  onSection: (section: Section) => void,
): Promise<void> {
  const parser = openSectionParser(onSection);
  const process = { argv: [program, '--verbose', '--schema-only', '--no-subscriptions', '--file=-'] } as const;
  await readHead(artifact, process, context, (line) => parser.push(line));
  parser.end();
}

const DATA = ['--data-only', '--no-subscriptions', '--file=-'] as const;

/** Streams the rows, large objects and sequence values of an archive. */
export async function readData(
  artifact: IncomingArtifact,
  program: string,
  context: Context,
  take: Take,
): Promise<void> {
  const { word } = storedFormat(artifact);
  if (word === 'directory' || word === 'tar')
    return takeUnpacked(await unpackWhole(word, artifact, context), program, context, take);
  const read = (raw: Readable): Promise<void> => {
    if (word === 'plain') return takeAll(readChosen(raw, choiceOf(DATA)), take);
    return decode(raw, program, context, take);
  };
  await artifact.into({ kind: 'reader', read });
}

async function takeUnpacked(dump: UnpackedDump, program: string, context: Context, take: Take): Promise<void> {
  try {
    const argv = [program, ...DATA, dump.path] as const;
    await takeOutput(context.start({ argv }, { stdin: 'ignore', stdout: 'pipe' }), program, context, take);
  } finally {
    await dump.remove();
  }
}

async function decode(pieces: AsyncIterable<Buffer>, program: string, context: Context, take: Take): Promise<void> {
  const running = context.start({ argv: [program, ...DATA] }, { stdin: 'pipe', stdout: 'pipe' });
  let isOver = false;
  const fed = feedProgram(
    running,
    until(() => isOver, pieces),
  );
  fed.catch(() => undefined);
  try {
    await takeOutput(running, program, context, take);
  } catch (error) {
    isOver = true;
    await fed;
    throw error;
  }
  await fed;
}

async function* until(isOver: () => boolean, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  for await (const piece of pieces) {
    if (isOver()) return;
    yield piece;
  }
}

async function takeOutput(running: RunningProcess, program: string, context: Context, take: Take): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  try {
    if (running.stdout === null) throw new Error('a program without an output');
    await takeAll(running.stdout, take);
  } catch (error) {
    failure = { error };
    running.stop();
  }
  const end = await running.closed;
  throwIfAborted(context.signal);
  const judgement = judgeRestore(end);
  if (!end.stopped && judgement.verdict === 'failed') {
    throw targetError(`cannot read the archive with ${program}: ${judgement.reason}`, { hint: judgement.hint });
  }
  if (failure !== undefined) throw failure.error;
}

async function takeAll(script: AsyncIterable<Buffer>, take: Take): Promise<void> {
  for await (const part of readScript(script)) await take(part);
}
