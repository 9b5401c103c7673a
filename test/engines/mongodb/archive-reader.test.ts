import { expect, it } from 'vitest';
import { gzipSync } from 'node:zlib';
import type { Facts } from '../../../src/engines/engine.ts';
import { openArchiveInspector } from '../../../src/engines/mongodb/archive/archive-facts.ts';
import { createCrc64, ECMA } from '../../../src/engines/crc64.ts';
import {
  archiveBytes,
  archiveHeader,
  bson,
  collectionBlocks,
  collectionHeader,
  type CollectionParts,
  namespaceHeader,
  plainCrc64,
  TERMINATOR,
} from './archive-bytes.ts';

const ORDERS: CollectionParts = {
  database: 'shop',
  name: 'orders',
  options: { capped: true, size: 4096 },
  indexes: [
    { v: 2, key: { _id: 1 }, name: '_id_' },
    { v: 2, key: { at: -1, who: 1 }, name: 'by time', unique: true, storageEngine: { x: 1 } },
  ],
  documents: [{ _id: 1, text: 'one' }, { _id: 2, text: 'x'.repeat(3000) }, {}],
};
const ITEMS: CollectionParts = { database: 'shop', name: 'items', documents: [{ _id: 1 }] };

/** Every size of pieces must give the same. */
function read(bytes: Buffer, piece = bytes.length): Facts {
  const reader = openArchiveInspector();
  for (let at = 0; at < bytes.length; at += piece) {
    // A piece is reused once it was taken.
    const chunk = Buffer.from(bytes.subarray(at, at + piece));
    reader.push(chunk);
    chunk.fill(0xee);
  }
  return reader.end();
}

const failure = (bytes: Buffer, piece?: number): string => {
  try {
    read(bytes, piece);
    return 'nothing';
  } catch (error) {
    return `${(error as { code?: string }).code} ${(error as Error).message}`.replace(
      'integrity cannot read the MongoDB archive: ',
      '',
    );
  }
};

const good = archiveBytes({ collections: [ORDERS, ITEMS] });

it.each([1, 2, 3, 5, 7, 64, 1000, undefined])('reads an archive in pieces of %s bytes', (piece) => {
  expect(read(good, piece)).toEqual({
    documents: { 'shop.orders': 3, 'shop.items': 1 },
    indexes: {
      'shop.orders': { _id_: '{"key":{"_id":1}}', 'by time': '{"key":{"at":-1,"who":1},"unique":true}' },
      'shop.items': {},
    },
    options: { 'shop.orders': '{"capped":true,"size":4096}' },
  });
});

it('reads collections whose blocks take turns', () => {
  const [first, second] = [bson({ _id: 1 }), bson({ _id: 2, x: 'y' })];
  const bytes = Buffer.concat([
    archiveHeader(),
    collectionHeader(ORDERS),
    collectionHeader(ITEMS),
    TERMINATOR,
    namespaceHeader(ORDERS, false, 0n),
    first,
    TERMINATOR,
    namespaceHeader(ITEMS, false, 0n),
    first,
    second,
    TERMINATOR,
    namespaceHeader(ORDERS, false, 0n),
    second,
    TERMINATOR,
    namespaceHeader(ORDERS, true, plainCrc64(Buffer.concat([first, second]))),
    TERMINATOR,
    namespaceHeader(ITEMS, true, plainCrc64(Buffer.concat([first, second]))),
    TERMINATOR,
  ]);
  expect(read(bytes, 11)).toMatchObject({ documents: { 'shop.orders': 2, 'shop.items': 2 } });
});

it('knows views, time series, users, the oplog, and what bkp set aside', () => {
  const bytes = archiveBytes({
    collections: [
      { database: 'shop', name: 'open', type: 'view', options: { viewOn: 'orders', pipeline: [{ $match: { a: 1 } }] } },
      {
        database: 'shop',
        name: 'heat',
        type: 'timeseries',
        options: { timeseries: { timeField: 't' } },
        documents: [{}, {}],
      },
      { database: 'shop', name: '$admin.system.users', documents: [{}, {}, {}] },
      { database: 'shop', name: 'bkp-old-20261119T020000Z-k3x9q2aa-orders', documents: [{}] },
      { database: 'admin', name: 'system.version', documents: [{}] },
      { database: '', name: 'oplog', documents: [{}, {}, {}, {}] },
    ],
  });
  expect(read(bytes)).toEqual({
    documents: { 'shop.heat': 2 },
    indexes: { 'shop.heat': {} },
    options: {
      'shop.open': '{"pipeline":[{"$match":{"a":1}}],"type":"view","viewOn":"orders"}',
      'shop.heat': '{"timeseries":{"timeField":"t"},"type":"timeseries"}',
    },
    oplog: 4,
    users: 3,
  });
});

it.each([
  ['cut in the header', good.subarray(0, 50), 'it is cut in its header'],
  ['cut at the last byte', good.subarray(0, -1), 'it is cut inside a block'],
  [
    'cut at the end of a block',
    good.subarray(0, good.length - collectionBlocks(ITEMS).length),
    'it is cut before shop.items',
  ],
  [
    'whose collection is never closed',
    archiveBytes({ collections: [{ ...ORDERS, crc: null }, ITEMS] }),
    'it is cut before the end of shop.orders',
  ],
  [
    'with a wrong checksum',
    archiveBytes({ collections: [{ ...ORDERS, crc: 1n }] }),
    'it is damaged, the checksum of shop.orders is another one',
  ],
  ['of an older version', archiveBytes({ version: '0.0', collections: [ITEMS] }), 'its format has the version 0.0'],
  ['of a newer version', archiveBytes({ version: '0.2', collections: [ITEMS] }), 'its format has the version 0.2'],
  ['that mongodump compressed', gzipSync(good), 'it is compressed, decompress it first'],
  ['that is something else', Buffer.from('-- PostgreSQL database dump'), 'it is damaged, it does not begin like one'],
  [
    'with documents after their end',
    Buffer.concat([good, collectionBlocks(ITEMS)]),
    'it is damaged, shop.items goes on after its end',
  ],
  ['with an end too many', Buffer.concat([good, TERMINATOR]), 'it is damaged, a block ends before it begins'],
  ['of nothing', Buffer.alloc(0), 'it is cut in its header'],
])('refuses an archive %s', (_, bytes, message) => {
  for (const piece of [1, 13, undefined]) expect(failure(bytes, piece)).toBe(message);
});

it('finds every flipped bit in a document', () => {
  const at = good.indexOf('xxxx');
  for (let bit = 0; bit < 8; bit += 1) {
    const bytes = Buffer.from(good);
    bytes[at + bit * 100] = (bytes[at + bit * 100] ?? 0) ^ (1 << bit);
    expect(failure(bytes)).toBe('it is damaged, the checksum of shop.orders is another one');
  }
});

it('never takes a cut archive for whole', () => {
  for (let length = 0; length < good.length; length += 7) expect(failure(good.subarray(0, length))).not.toBe('nothing');
});

it('computes checksums as their definition has them, wherever bytes are divided', () => {
  const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => (index * 7919) % 256));
  for (const cut of [0, 1, 8, 13, 500]) {
    const crc = createCrc64(ECMA);
    crc.update(bytes, 0, cut);
    crc.update(bytes, cut, bytes.length);
    expect(crc.value()).toBe(plainCrc64(bytes));
  }
  expect(plainCrc64(Buffer.from('123456789'))).toBe(0x995dc9bbdf1939fan);
});
