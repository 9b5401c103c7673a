import type { Readable } from 'node:stream';
import type { Context, ProcessSpec, RunningProcess } from '../../../context.ts';
import { throwIfAborted } from '../../../errors.ts';
import type { IncomingArtifact } from '../../engine.ts';
import { storedFormat } from '../archive/dump-formats.ts';
import { unreadableError } from './judge-restore.ts';
import { readScriptHead } from './read-script-head.ts';
import { createScriptLines } from './lines.ts';
import { unpackToc } from '../archive/unpack-dump.ts';

/** The reader has what it came for; the rest of the artifact is not read. */
const ENOUGH = new Error('enough was read');

/**
 * Gives the head of an archive, where its table of contents and all definitions stand, to pg_restore without its input, and
 * hands out the lines it writes. The rows behind it are neither decoded nor checked. A script is cut the same way without
 * any program.
 */
export async function readHead(
  artifact: IncomingArtifact,
  process: ProcessSpec,
  context: Context,
  onLine: (line: string) => void,
): Promise<void> {
  const { word } = storedFormat(artifact);
  try {
    if (word === 'plain') await readScriptHead(artifact, process.argv.slice(1), onLine);
    else if (word === 'directory') await readFolderHead(artifact, process, context, onLine);
    else await artifact.into({ kind: 'reader', read: (raw) => feedHead(raw, process, context, onLine) });
  } catch (error) {
    throwIfAborted(context.signal);
    if (error !== ENOUGH) throw error;
  }
}

async function readFolderHead(
  artifact: IncomingArtifact,
  process: ProcessSpec,
  context: Context,
  onLine: (line: string) => void,
): Promise<void> {
  const folder = await unpackToc(artifact, context);
  try {
    const input = { ...process, argv: [...process.argv, folder.path] as const };
    await readLines(context.start(input, { stdin: 'ignore', stdout: 'pipe' }), process, onLine);
  } finally {
    await folder.remove();
  }
}

async function feedHead(
  raw: Readable,
  process: ProcessSpec,
  context: Context,
  onLine: (line: string) => void,
): Promise<never> {
  const running = context.start(process, { stdin: 'pipe', stdout: 'pipe' });
  const { stdin } = running;
  if (stdin === null) throw new Error('a program without an input');
  // It stops reading early; its exit code tells whether that was right.
  stdin.on('error', () => undefined);
  raw.once('error', () => running.stop());
  raw.pipe(stdin);
  try {
    await readLines(running, process, onLine);
  } catch (error) {
    if (raw.errored !== null) throw raw.errored;
    throw error;
  } finally {
    raw.unpipe(stdin);
  }
  if (raw.errored !== null) throw raw.errored;
  throwIfAborted(context.signal);
  throw ENOUGH;
}

async function readLines(running: RunningProcess, process: ProcessSpec, onLine: (line: string) => void): Promise<void> {
  const { stdout } = running;
  if (stdout === null) throw new Error('a program without an output');
  const lines = createScriptLines(onLine);
  stdout.on('data', (piece: Buffer) => lines.push(piece));
  const read = new Promise<void>((resolve) => void stdout.once('close', resolve));
  const end = await running.closed;
  await read;
  lines.end();
  if (end.exitCode !== 0) throw unreadableError(process.argv[0], end);
}
