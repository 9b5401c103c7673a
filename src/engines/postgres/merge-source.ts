import type { Readable } from 'node:stream';
import type { Context } from '../../context.ts';
import { targetError, throwIfAborted } from '../../errors.ts';
import type { IncomingArtifact } from '../engine.ts';
import { readHead } from './archive-head.ts';
import { readScript, type ScriptPart } from './copy-script.ts';
import { judgeRestore } from './fill.ts';
import { openSectionParser, type Section } from './sections.ts';

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

/** Streams the rows, large objects and sequence values of an archive. */
export async function readData(
  artifact: IncomingArtifact,
  program: string,
  context: Context,
  take: (part: ScriptPart) => Promise<void>,
): Promise<void> {
  await artifact.into({ kind: 'reader', read: (raw) => decode(raw, program, context, take) });
}

async function decode(
  raw: Readable,
  program: string,
  context: Context,
  take: (part: ScriptPart) => Promise<void>,
): Promise<void> {
  const running = context.start(
    { argv: [program, '--data-only', '--no-subscriptions', '--file=-'] },
    { stdin: 'pipe', stdout: 'pipe' },
  );
  const { stdin, stdout } = running;
  if (stdin === null || stdout === null) throw new Error('a program without streams');
  stdin.on('error', () => undefined);
  raw.once('error', () => running.stop());
  raw.pipe(stdin);
  let failure: { readonly error: unknown } | undefined;
  try {
    for await (const part of readScript(stdout)) await take(part);
  } catch (error) {
    failure = { error };
    raw.unpipe(stdin);
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
