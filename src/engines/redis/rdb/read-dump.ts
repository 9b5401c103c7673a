import { bytesOf, createCrc64, JONES } from '../../crc64.ts';
import { integrityError } from '../../../errors.ts';
import { CODE, FIRST_CODE, readVersion, skipCode, unknownFormat } from './codes.ts';
import { type Cursor, damaged, need, readByte, type Reading, readLength, readString } from './cursor.ts';
import { type KeyType, VALUES } from './values.ts';

/** One key of a dump. */
export interface Entry {
  /** Its place among the keys of the dump, from zero. */
  readonly ordinal: number;
  readonly database: number;
  readonly key: Buffer;
  readonly type: KeyType;
  /** The byte that says how the value is written. */
  readonly typeByte: number;
  /** When it expires, in milliseconds since 1970; null for never. */
  readonly expireAt: number | null;
  readonly idleSeconds: number | null;
  readonly frequency: number | null;
}

/** Told what a dump holds, in its order. */
export interface DumpVisitor {
  /** A key begins. */
  entry(entry: Entry): void;
  /** The next bytes of its value as they are written, valid during the call. */
  value?(bytes: Buffer): void;
  /** A key ends; `bytes` is the whole size of its value. */
  entryEnd(bytes: number, moduleType: string | undefined): void;
  library(code: Buffer): void;
  /** A module left data that belongs to no key. */
  module?(name: string): void;
}

export interface DumpEnd {
  /** Of the format, as the first line tells. */
  readonly version: number;
  /** False where the server makes no checksums (`rdbchecksum no`). */
  readonly hasChecksum: boolean;
}

export interface DumpReader {
  /** Takes bytes of a dump. Throws `integrity` for what cannot be one. */
  push(chunk: Buffer): void;
  /** Throws `integrity` unless the dump was whole. */
  end(): DumpEnd;
}

type Own = Pick<Entry, 'expireAt' | 'idleSeconds' | 'frequency'>;
const NONE: Own = { expireAt: null, idleSeconds: null, frequency: null };

/** Reads a dump (RDB) in memory that does not grow with it: values are passed on or passed by. */
export function openDumpReader(visitor: DumpVisitor): DumpReader {
  const cursor: Cursor = { buffer: Buffer.alloc(0), at: 0 };
  const crc = createCrc64(JONES);
  const state = { summed: 0, valueFrom: -1, valueBytes: 0 };

  /** Everything up to the cursor was read: it is added up, and given away where it is part of a value. */
  const settle = (): void => {
    crc.update(cursor.buffer, state.summed, cursor.at);
    state.summed = cursor.at;
    if (state.valueFrom < 0) return;
    state.valueBytes += cursor.at - state.valueFrom;
    if (cursor.at > state.valueFrom) visitor.value?.(cursor.buffer.subarray(state.valueFrom, cursor.at));
    state.valueFrom = cursor.at;
  };

  function* readValue(typeByte: number): Reading<void> {
    const value = VALUES.get(typeByte);
    if (value === undefined) throw unknownFormat(`a key of the unknown kind ${typeByte}`);
    state.valueFrom = cursor.at;
    state.valueBytes = 0;
    const moduleType = yield* value.skip(cursor);
    state.valueBytes += cursor.at - state.valueFrom;
    if (cursor.at > state.valueFrom) visitor.value?.(cursor.buffer.subarray(state.valueFrom, cursor.at));
    state.valueFrom = -1;
    visitor.entryEnd(state.valueBytes, moduleType);
  }

  function* read(): Reading<DumpEnd> {
    const version = yield* readVersion(cursor);
    let ordinal = 0;
    let database = 0;
    let own: Own = NONE;
    for (;;) {
      const code = yield* readByte(cursor);
      if (code < FIRST_CODE) {
        const type = VALUES.get(code)?.type;
        if (type === undefined) throw unknownFormat(`a key of the unknown kind ${code}`);
        const key = yield* readString(cursor);
        visitor.entry({ ordinal, database, key, type, typeByte: code, ...own });
        yield* readValue(code);
        ordinal += 1;
        own = NONE;
        continue;
      }
      if (code === CODE.end) return { version, hasChecksum: yield* readChecksum() };
      if (code === CODE.database) database = yield* readLength(cursor);
      else if (code === CODE.expireMs) own = { ...own, expireAt: yield* readNumber(8) };
      else if (code === CODE.expireSeconds) own = { ...own, expireAt: 1000 * (yield* readNumber(4)) };
      else if (code === CODE.idle) own = { ...own, idleSeconds: yield* readLength(cursor) };
      else if (code === CODE.frequency) own = { ...own, frequency: yield* readByte(cursor) };
      else if (code === CODE.library) visitor.library(yield* readString(cursor));
      else {
        const module = yield* skipCode(cursor, code);
        if (module !== undefined) visitor.module?.(module);
      }
    }
  }

  function* readNumber(bytes: 4 | 8): Reading<number> {
    yield* need(cursor, bytes);
    const { buffer, at } = cursor;
    cursor.at += bytes;
    return bytes === 8 ? Number(buffer.readBigInt64LE(at)) : buffer.readInt32LE(at);
  }

  function* readChecksum(): Reading<boolean> {
    settle();
    const sum = bytesOf(crc);
    yield* need(cursor, 8);
    const written = cursor.buffer.subarray(cursor.at, cursor.at + 8);
    cursor.at += 8;
    if (written.every((byte) => byte === 0)) return false;
    if (!written.equals(sum)) throw integrityError('cannot read the dump: its checksum does not match its bytes');
    return true;
  }

  const reading = read();
  let step = reading.next();
  return {
    push(chunk) {
      if (step.done === true && chunk.length > 0) throw damaged('bytes follow its end');
      const rest = cursor.buffer;
      cursor.buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      cursor.at = 0;
      state.summed = 0;
      if (state.valueFrom >= 0) state.valueFrom = 0;
      step = reading.next();
      if (step.done === true && cursor.at < cursor.buffer.length) throw damaged('bytes follow its end');
      settle();
      // Whoever pushed uses the chunk again.
      cursor.buffer = Buffer.from(cursor.buffer.subarray(cursor.at));
      cursor.at = 0;
    },
    end() {
      if (step.done !== true) throw integrityError('cannot read the dump: it ends before its end mark');
      return step.value;
    },
  };
}
