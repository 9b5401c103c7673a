import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Context, ProcessSpec } from '../../context.ts';
import { integrityError, throwIfAborted, toolError } from '../../errors.ts';
import type { IncomingArtifact } from '../engine.ts';

/** The reader has what it came for; the rest of the artifact is not read. */
const ENOUGH = new Error('enough was read');

/**
 * Gives the head of an archive, where its table of contents and all definitions stand, to a program that ends when it has
 * read that, and hands out the lines it writes. The rows behind it are neither decoded nor checked.
 */
export async function readHead(
  artifact: IncomingArtifact,
  process: ProcessSpec,
  context: Context,
  onLine: (line: string) => void,
): Promise<void> {
  try {
    await artifact.into({ kind: 'reader', read: (raw) => feedHead(raw, process, context, onLine) });
  } catch (error) {
    throwIfAborted(context.signal);
    if (error !== ENOUGH) throw error;
  }
}

async function feedHead(
  raw: Readable,
  process: ProcessSpec,
  context: Context,
  onLine: (line: string) => void,
): Promise<never> {
  const running = context.start(process, { stdin: 'pipe', stdout: 'pipe' });
  const { stdin, stdout } = running;
  if (stdin === null || stdout === null) throw new Error('a program without streams');
  // It stops reading early; its exit code tells whether that was right.
  stdin.on('error', () => undefined);
  raw.once('error', () => running.stop());
  raw.pipe(stdin);
  const lines = createInterface({ input: stdout, crlfDelay: Infinity });
  lines.on('line', onLine);
  const read = new Promise<void>((resolve) => void lines.once('close', resolve));
  const { exitCode, stderr } = await running.closed;
  await read;
  raw.unpipe(stdin);
  if (raw.errored !== null) throw raw.errored;
  throwIfAborted(context.signal);
  if (exitCode === 0) throw ENOUGH;
  const said = /error: (.*)/.exec(stderr)?.[1] ?? `exit code ${exitCode}`;
  if (said.includes('unsupported version')) {
    throw toolError(`cannot read the archive with ${process.argv[0]}: ${said}`, {
      hint: 'a newer pg_dump wrote it: install postgresql-client of that version, and restore into a server of that version',
    });
  }
  const make = exitCode === 1 ? integrityError : toolError;
  throw make(`cannot read the archive with ${process.argv[0]}: ${said}`);
}
