import { integrityError } from '../../../errors.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;

const broken = (): Error => integrityError('cannot read an answer of the server: it is not whole JSON');

/** The next byte that is not white space. */
function skipSpace(json: Buffer, at: number): number {
  let next = at;
  for (let byte = json[next]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = json[next])
    next += 1;
  return next;
}

function skipText(json: Buffer, at: number): number {
  for (let next = at + 1; next < json.length; next += 1) {
    const byte = json[next];
    if (byte === QUOTE) return next + 1;
    if (byte === BACKSLASH) next += 1;
  }
  throw broken();
}

/** Where a value ends that begins at a place. Nothing in it is read. */
export function skipValue(json: Buffer, at: number): number {
  const first = json[at];
  if (first === QUOTE) return skipText(json, at);
  if (first !== OPEN_OBJECT && first !== OPEN_LIST) return skipWord(json, at);
  let depth = 0;
  for (let next = at; next < json.length; next += 1) {
    const byte = json[next];
    if (byte === QUOTE) next = skipText(json, next) - 1;
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth -= 1;
      if (depth === 0) return next + 1;
    }
  }
  throw broken();
}

/** A number, or one of true, false and null. */
function skipWord(json: Buffer, at: number): number {
  let next = at;
  for (let byte = json[next]; byte !== undefined && byte > 0x20 && byte !== COMMA; byte = json[next]) {
    if (byte === CLOSE_OBJECT || byte === CLOSE_LIST || byte === COLON) break;
    next += 1;
  }
  if (next === at) throw broken();
  return next;
}

/** Visits the keys of an object; the visitor says where each value ends. Returns where the object does. */
export function walkObject(json: Buffer, at: number, visit: (key: string, valueAt: number) => number): number {
  if (json[at] !== OPEN_OBJECT) throw broken();
  let next = skipSpace(json, at + 1);
  if (json[next] === CLOSE_OBJECT) return next + 1;
  for (;;) {
    if (json[next] !== QUOTE) throw broken();
    const keyEnd = skipText(json, next);
    const key = JSON.parse(json.toString('utf8', next, keyEnd)) as string;
    next = skipSpace(json, keyEnd);
    if (json[next] !== COLON) throw broken();
    next = skipSpace(json, visit(key, skipSpace(json, next + 1)));
    if (json[next] === CLOSE_OBJECT) return next + 1;
    if (json[next] !== COMMA) throw broken();
    next = skipSpace(json, next + 1);
  }
}

/** Visits the items of a list, in the same way. */
export function walkList(json: Buffer, at: number, visit: (itemAt: number) => number): number {
  if (json[at] !== OPEN_LIST) throw broken();
  let next = skipSpace(json, at + 1);
  if (json[next] === CLOSE_LIST) return next + 1;
  for (;;) {
    next = skipSpace(json, visit(next));
    if (json[next] === CLOSE_LIST) return next + 1;
    if (json[next] !== COMMA) throw broken();
    next = skipSpace(json, next + 1);
  }
}

/** The values of an object as they stand there, by their keys. */
export function fieldsOf(json: Buffer): ReadonlyMap<string, Buffer> {
  const fields = new Map<string, Buffer>();
  walkObject(json, skipSpace(json, 0), (key, at) => {
    const end = skipValue(json, at);
    fields.set(key, json.subarray(at, end));
    return end;
  });
  return fields;
}
