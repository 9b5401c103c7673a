import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { Context } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import { type RedisTarget, serverOf } from '../server/connection.ts';
import { openWire, type Wire } from './wire.ts';

/** A dump that a server has begun to send. */
export interface IncomingDump {
  /** Its bytes, once; ends well only when the dump is whole. */
  readonly open: () => Readable;
  close(): void;
}

/**
 * Asks a server for its dump as a replica that wants nothing else, and waits until it comes: what it holds is then fixed.
 * The dump goes from the memory of the server into the connection; nothing is written there.
 */
export async function requestDump(target: RedisTarget, context: Context): Promise<IncomingDump> {
  const wire = await openWire(target, context);
  try {
    // Servers older than this word send what changes afterwards, too, and are not listened to.
    wire.send('REPLCONF', 'rdb-only', '1');
    await wire.line();
    await wire.ask('REPLCONF', 'capa', 'eof');
    await wire.ask('PSYNC', '?', '-1');
    const size = await waitForDump(wire, target, context);
    return { open: () => Readable.from(bytesOf(wire, size), { objectMode: false }), close: wire.close };
  } catch (error) {
    wire.close();
    throw error;
  }
}

/** How the end of a dump is known: by its size, or by a mark behind it. */
type Size = { readonly bytes: number } | { readonly mark: Buffer };

/** While it prepares itself, the server sends an empty line now and then. */
async function waitForDump(wire: Wire, target: RedisTarget, context: Context): Promise<Size> {
  for (;;) {
    const line = await wire.line();
    const mark = /^\$EOF:(.{40})$/.exec(line)?.[1];
    if (mark !== undefined) return { mark: Buffer.from(mark) };
    if (/^\$\d+$/.test(line)) return { bytes: Number(line.slice(1)) };
    if (line.startsWith('-')) throw wire.broken(new Error(line.slice(1)));
    if (line !== '')
      throw targetError(`cannot capture redis at ${serverOf(target)}: it sent no dump but ${line.slice(0, 80)}`);
    const subject = `waiting for the dump of ${serverOf(target)}`;
    context.emit({ type: 'progress', subject, bytes: 0, totalBytes: null });
  }
}

const bytesOf = ({ socket, broken }: Wire, size: Size): AsyncGenerator<Buffer> =>
  orBroken('mark' in size ? untilMark(socket, size.mark) : thatMany(socket, size.bytes), broken);

async function* orBroken(bytes: AsyncGenerator<Buffer>, broken: Wire['broken']): AsyncGenerator<Buffer> {
  try {
    yield* bytes;
  } catch (error) {
    throw broken(error);
  }
}

async function* thatMany(socket: Socket, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    yield chunk.subarray(0, left);
    left -= Math.min(left, chunk.length);
    if (left === 0) return;
  }
  throw new Error('it closed the connection before the dump was whole; its log tells why');
}

/** The mark is forty random bytes, said before: what ends with it has ended. */
async function* untilMark(socket: Socket, mark: Buffer): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    const all = chunk.length < mark.length ? Buffer.concat([held, chunk]) : chunk;
    if (all === chunk && held.length > 0) yield held;
    const free = Math.max(0, all.length - mark.length);
    if (free > 0) yield all.subarray(0, free);
    held = Buffer.from(all.subarray(free));
    if (held.equals(mark)) return;
  }
  throw new Error('it closed the connection before the dump was whole; its log tells why');
}
