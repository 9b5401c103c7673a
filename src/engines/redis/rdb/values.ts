import {
  type Cursor,
  damaged,
  type Reading,
  need,
  readByte,
  readLength,
  skipBytes,
  skipString,
  trySkipString,
} from './cursor.ts';

/** What a key holds, in the words of `TYPE`. */
export type KeyType = 'string' | 'list' | 'set' | 'zset' | 'hash' | 'stream' | 'module';

interface Value {
  readonly type: KeyType;
  /** Goes past it without holding it; tells the name of a module's own type. */
  readonly skip: (cursor: Cursor) => Reading<string | undefined>;
}

const STREAM_ID_BYTES = 16;
const TIME_BYTES = 8;
const SCORE_BYTES = 8;

/** One string, however it is packed inside. */
function* one(cursor: Cursor): Reading<undefined> {
  yield* skipString(cursor);
  return undefined;
}

const strings = (each: number) =>
  function* (cursor: Cursor): Reading<undefined> {
    for (let left = each * (yield* readLength(cursor)); left > 0; left -= 1)
      if (!trySkipString(cursor)) yield* skipString(cursor);
    return undefined;
  };

function* textScores(cursor: Cursor): Reading<undefined> {
  for (let left = yield* readLength(cursor); left > 0; left -= 1) {
    yield* skipString(cursor);
    const bytes = yield* readByte(cursor);
    // The last three stand for not a number and the infinities.
    if (bytes < 253) yield* skipBytes(cursor, bytes);
  }
  return undefined;
}

function* scores(cursor: Cursor): Reading<undefined> {
  for (let left = yield* readLength(cursor); left > 0; left -= 1) {
    if (!trySkipString(cursor)) yield* skipString(cursor);
    yield* skipBytes(cursor, SCORE_BYTES);
  }
  return undefined;
}

function* nodes(cursor: Cursor): Reading<undefined> {
  for (let left = yield* readLength(cursor); left > 0; left -= 1) {
    yield* readLength(cursor);
    if (!trySkipString(cursor)) yield* skipString(cursor);
  }
  return undefined;
}

/** Fields with a time to live of their own. */
const expiringFields = (headBytes: number) =>
  function* (cursor: Cursor): Reading<undefined> {
    yield* skipBytes(cursor, headBytes);
    for (let left = yield* readLength(cursor); left > 0; left -= 1) {
      yield* readLength(cursor);
      yield* skipString(cursor);
      yield* skipString(cursor);
    }
    return undefined;
  };

function* timedOne(cursor: Cursor): Reading<undefined> {
  yield* skipBytes(cursor, TIME_BYTES);
  return yield* one(cursor);
}

const stream = (version: 1 | 2 | 3) =>
  function* (cursor: Cursor): Reading<undefined> {
    for (let left = yield* readLength(cursor); left > 0; left -= 1) {
      yield* skipString(cursor);
      yield* skipString(cursor);
    }
    yield* lengths(cursor, version === 1 ? 3 : 8);
    for (let groups = yield* readLength(cursor); groups > 0; groups -= 1) {
      yield* skipString(cursor);
      yield* lengths(cursor, version === 1 ? 2 : 3);
      for (let pending = yield* readLength(cursor); pending > 0; pending -= 1) {
        yield* skipBytes(cursor, STREAM_ID_BYTES + TIME_BYTES);
        yield* readLength(cursor);
      }
      for (let consumers = yield* readLength(cursor); consumers > 0; consumers -= 1) {
        yield* skipString(cursor);
        yield* skipBytes(cursor, version === 3 ? 2 * TIME_BYTES : TIME_BYTES);
        yield* skipBytes(cursor, STREAM_ID_BYTES * (yield* readLength(cursor)));
      }
    }
    return undefined;
  };

function* lengths(cursor: Cursor, count: number): Reading<void> {
  for (let left = count; left > 0; left -= 1) yield* readLength(cursor);
}

function* moduleValue(cursor: Cursor): Reading<string> {
  const name = yield* readModuleName(cursor);
  yield* skipModuleData(cursor);
  return name;
}

const NAME_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Nine letters of six bits each, and ten bits of a version. */
export function* readModuleName(cursor: Cursor): Reading<string> {
  yield* need(cursor, 9);
  if (cursor.buffer[cursor.at] !== 0x81) throw damaged('a module has no name');
  const id = cursor.buffer.readBigUInt64BE(cursor.at + 1);
  cursor.at += 9;
  return Array.from({ length: 9 }, (_, index) => NAME_LETTERS[Number((id >> BigInt(58 - 6 * index)) & 63n)]).join('');
}

/** What a module wrote is a row of marked pieces, so that it can be passed without the module. */
export function* skipModuleData(cursor: Cursor): Reading<void> {
  for (;;) {
    switch (yield* readLength(cursor)) {
      case 0:
        return;
      case 1:
      case 2:
        yield* readLength(cursor);
        break;
      case 3:
        yield* skipBytes(cursor, 4);
        break;
      case 4:
        yield* skipBytes(cursor, 8);
        break;
      case 5:
        yield* skipString(cursor);
        break;
      default:
        throw damaged('the data of a module has an unknown part');
    }
  }
}

/** Every way in which Redis up to 8.4 and Valkey 8 write a value, by its number in a dump. */
export const VALUES: ReadonlyMap<number, Value> = new Map<number, Value>([
  [0, { type: 'string', skip: one }],
  [1, { type: 'list', skip: strings(1) }],
  [2, { type: 'set', skip: strings(1) }],
  [3, { type: 'zset', skip: textScores }],
  [4, { type: 'hash', skip: strings(2) }],
  [5, { type: 'zset', skip: scores }],
  [7, { type: 'module', skip: moduleValue }],
  [9, { type: 'hash', skip: one }],
  [10, { type: 'list', skip: one }],
  [11, { type: 'set', skip: one }],
  [12, { type: 'zset', skip: one }],
  [13, { type: 'hash', skip: one }],
  [14, { type: 'list', skip: strings(1) }],
  [15, { type: 'stream', skip: stream(1) }],
  [16, { type: 'hash', skip: one }],
  [17, { type: 'zset', skip: one }],
  [18, { type: 'list', skip: nodes }],
  [19, { type: 'stream', skip: stream(2) }],
  [20, { type: 'set', skip: one }],
  [21, { type: 'stream', skip: stream(3) }],
  [22, { type: 'hash', skip: expiringFields(0) }],
  [23, { type: 'hash', skip: one }],
  [24, { type: 'hash', skip: expiringFields(TIME_BYTES) }],
  [25, { type: 'hash', skip: timedOne }],
]);
