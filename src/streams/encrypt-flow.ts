import { type Readable, Transform } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import type { Context } from '../context.ts';
import type { Cipher } from '../encryption/cipher.ts';
import { reasonOf, toolError } from '../errors.ts';
import { pipePrograms } from './pipe-programs.ts';
import { markConsequence, type Stages } from './stages.ts';

/** Encrypts bytes that are in Node already. `see` is given the plain ones, for their own end mark. */
export async function encryptFromNode(
  plain: Readable,
  cipher: Cipher,
  see: (chunk: Buffer) => void,
  stages: Stages,
  context: Context,
): Promise<Readable> {
  context.signal.addEventListener('abort', () => plain.destroy(new Error('stopped')), { once: true });
  const seen = new Transform({
    readableHighWaterMark: 256 * 1024,
    transform(chunk: Buffer, _encoding, done) {
      see(chunk);
      done(null, chunk);
    },
  });
  // Joined before anything is waited for: what a child wrote is thrown away at its exit while nobody reads it.
  stages.add(pipeline(plain, seen).catch(brokenOff));
  if (cipher.kind === 'library') {
    const encrypted = await cipher.through(seen);
    stages.add(finished(encrypted).catch(brokenOff));
    return encrypted;
  }
  const program = { process: cipher.process, verb: 'encrypt' };
  const { stdin, stdout } = pipePrograms([program], { stdin: 'pipe', stdout: 'pipe' }, stages, context);
  if (stdin === null || stdout === null) throw new Error('a program without its ends');
  stages.add(pipeline(seen, stdin).catch(brokenOff));
  return stdout;
}

/** The plain stream, or the program, says itself why. */
function brokenOff(error: unknown): never {
  throw markConsequence(toolError(`cannot encrypt: ${reasonOf(error)}`, { cause: error }));
}
