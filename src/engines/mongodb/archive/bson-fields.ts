import { damagedArchive } from './errors.ts';

export type BsonField = string | number | bigint | boolean | null;

// The kinds of values that headers of archives are made of.
const DOUBLE = 0x01;
const STRING = 0x02;
const BOOLEAN = 0x08;
const NULL = 0x0a;
const INT32 = 0x10;
const INT64 = 0x12;

/** Reads a flat BSON document, as archives have them for headers. Throws `integrity` for anything else. */
export function readBsonFields(document: Buffer): Readonly<Record<string, BsonField>> {
  const fields: Record<string, BsonField> = {};
  let at = 4;
  const end = document.length - 1;
  const need = (bytes: number): void => {
    if (bytes < 0 || at + bytes > end) throw damagedArchive('a header is longer than it says');
  };
  const value = (type: number): BsonField => {
    const from = at;
    switch (type) {
      case DOUBLE:
        need(8);
        at += 8;
        return document.readDoubleLE(from);
      case STRING: {
        need(4);
        const length = document.readInt32LE(from);
        at += 4;
        need(length);
        at += length;
        if (length < 1 || document[at - 1] !== 0) throw damagedArchive('a text in a header has no end');
        return document.toString('utf8', from + 4, at - 1);
      }
      case BOOLEAN:
        need(1);
        at += 1;
        return document[from] === 1;
      case NULL:
        return null;
      case INT32:
        need(4);
        at += 4;
        return document.readInt32LE(from);
      case INT64:
        need(8);
        at += 8;
        return document.readBigInt64LE(from);
      default:
        throw damagedArchive(`a header holds a value of the kind ${type}`);
    }
  };
  while (at < end) {
    const type = document[at] ?? 0;
    const nameEnd = document.indexOf(0, at + 1);
    if (nameEnd < 0 || nameEnd >= end) throw damagedArchive('a name in a header has no end');
    const name = document.toString('utf8', at + 1, nameEnd);
    at = nameEnd + 1;
    fields[name] = value(type);
  }
  return fields;
}
