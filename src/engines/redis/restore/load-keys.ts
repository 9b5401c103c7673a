import type { Context } from '../../../context.ts';
import { BkpError, reasonOf, targetError, throwIfAborted } from '../../../errors.ts';
import type { IncomingArtifact } from '../../engine.ts';
import { bytesOf, type Crc64, createCrc64, JONES } from '../../crc64.ts';
import { type DumpVisitor, type Entry, openDumpReader } from '../rdb/read-dump.ts';
import { type RedisTarget, serverOf } from '../server/connection.ts';
import { type ByteWriter, openByteWriter } from '../wire/byte-writer.ts';
import { encodeCommand } from '../wire/encode.ts';
import { openPipeline, type Pipeline } from '../wire/pipeline.ts';
import { openWire } from '../wire/wire.ts';
import type { KeyJournal } from './key-journal.ts';
import type { Survey } from './survey.ts';

/** What became of the keys of a dump. */
export interface Loaded {
  /** That came, by database. */
  readonly brought: Readonly<Record<string, number>>;
  /** That were there already and are as they were. */
  readonly kept: number;
  /** That have expired since the capture. */
  readonly expired: number;
}

const FOOTER_BYTES = 10;

/**
 * Brings the keys of a dump to a server, each by a `RESTORE` of the very bytes that the dump has for it. A key that is
 * there stays as it is. What came is noted in the journal before this returns or throws; where the server was empty, also
 * what nobody knows about because the connection ended.
 */
export async function loadKeys(
  artifact: IncomingArtifact,
  survey: Survey,
  target: RedisTarget,
  journal: KeyJournal,
  wasEmpty: boolean,
  context: Context,
): Promise<Loaded> {
  // An abort must not cut what is under way: its answers tell what has come.
  const wire = await openWire(target, { ...context, signal: new AbortController().signal });
  const state: State = { database: 0, brought: new Map(), kept: 0, expired: 0, unanswered: 0 };
  const pipeline = openPipeline(wire);
  try {
    const writer = openByteWriter();
    const reader = openDumpReader({
      ...restoring({
        writer,
        pipeline,
        survey,
        journal,
        wasEmpty,
        state,
        target,
        now: () => context.clock.now().getTime(),
      }),
      library: () => undefined,
    });
    let bytes = 0;
    await artifact.into({
      kind: 'reader',
      async read(raw) {
        for await (const chunk of raw as AsyncIterable<Buffer>) {
          reader.push(chunk);
          throwIfAborted(context.signal);
          await pipeline.send(writer.gathered());
          writer.clear();
          bytes += chunk.length;
          const subject = `restoring into ${serverOf(target)}`;
          context.emit({ type: 'progress', subject, bytes, totalBytes: survey.bytes });
        }
        await pipeline.settle();
      },
    });
    reader.end();
    throwIfAborted(context.signal);
    return { brought: Object.fromEntries(state.brought), kept: state.kept, expired: state.expired };
  } catch (error) {
    await pipeline.drain();
    if (state.unanswered === 0) throw error;
    throw new BkpError(error instanceof BkpError ? error.code : 'target', reasonOf(error), {
      hint: `up to ${state.unanswered} keys of the snapshot may have come and stay: the connection ended before the server told`,
      cause: error,
    });
  } finally {
    wire.close();
  }
}

interface State {
  database: number;
  readonly brought: Map<string, number>;
  kept: number;
  expired: number;
  /** Keys that nobody knows about: the connection ended before they were answered. */
  unanswered: number;
}

interface Restoring {
  readonly writer: ByteWriter;
  readonly pipeline: Pipeline;
  readonly survey: Survey;
  readonly journal: KeyJournal;
  readonly wasEmpty: boolean;
  readonly state: State;
  readonly target: RedisTarget;
  readonly now: () => number;
}

/** Writes one command for every key. A large value is sent on while it comes: its size is known from the survey. */
function restoring({
  writer,
  pipeline,
  survey,
  journal,
  wasEmpty,
  state,
  target,
  now,
}: Restoring): Omit<DumpVisitor, 'library'> {
  let current: Entry | undefined;
  let crc: Crc64 | undefined;
  // What is not sent yet must outlive the chunk it came in.
  const held = openByteWriter();

  const begin = (entry: Entry, valueBytes: number): void => {
    const options = optionsOf(entry);
    const time = String(entry.expireAt ?? 0);
    writer.text(`*${4 + options.length}\r\n$7\r\nRESTORE\r\n$${entry.key.length}\r\n`);
    writer.bytes(entry.key);
    writer.text(`\r\n$${time.length}\r\n${time}\r\n$${1 + valueBytes + FOOTER_BYTES}\r\n`);
    crc = createCrc64(JONES);
    payload(Buffer.of(entry.typeByte));
  };
  const payload = (bytes: Uint8Array): void => {
    writer.bytes(bytes);
    crc?.update(bytes);
  };
  const finish = (entry: Entry): void => {
    payload(Buffer.of(survey.version & 255, survey.version >> 8));
    writer.bytes(crc === undefined ? Buffer.alloc(0) : bytesOf(crc));
    writer.text(['', ...optionsOf(entry).map((word) => `$${word.length}\r\n${word}`), ''].join('\r\n'));
    const { database, key } = entry;
    pipeline.expect((line) => {
      if (line === null && wasEmpty) journal.add(database, key);
      else if (line === null) state.unanswered += 1;
      else if (line.startsWith('+')) {
        state.brought.set(String(database), (state.brought.get(String(database)) ?? 0) + 1);
        journal.add(database, key);
      } else if (line.startsWith('-BUSYKEY')) state.kept += 1;
      else throw targetError(`cannot restore key ${nameOf(key)} into ${serverOf(target)}: ${line.slice(1)}`);
    });
  };

  return {
    entry(entry) {
      if (entry.expireAt !== null && entry.expireAt <= now()) {
        state.expired += 1;
        current = undefined;
        return;
      }
      if (entry.database !== state.database) {
        state.database = entry.database;
        writer.bytes(encodeCommand(['SELECT', String(entry.database)]));
        pipeline.expect((line) => {
          if (line?.startsWith('-') === true)
            throw targetError(`cannot use database ${entry.database}: ${line.slice(1)}`);
        });
      }
      current = entry;
      held.clear();
      const large = survey.large.get(entry.ordinal);
      if (large !== undefined) begin(entry, large);
      else crc = undefined;
    },
    value(bytes) {
      if (current === undefined) return;
      if (crc !== undefined) payload(bytes);
      else held.bytes(bytes);
    },
    entryEnd() {
      if (current === undefined) return;
      if (crc === undefined) {
        begin(current, held.length());
        payload(held.gathered());
      }
      finish(current);
      crc = undefined;
    },
  };
}

function optionsOf({ expireAt, idleSeconds, frequency }: Entry): readonly string[] {
  return [
    ...(expireAt === null ? [] : ['ABSTTL']),
    ...(idleSeconds === null ? [] : ['IDLETIME', String(idleSeconds)]),
    ...(frequency === null ? [] : ['FREQ', String(frequency)]),
  ];
}

/** A key for people: short, and printable whatever it is. */
const nameOf = (key: Buffer): string => JSON.stringify(key.subarray(0, 64).toString());
