import { BSON } from 'mongodb';

/** One document for each kind of value that a driver writes. */
export const everyKind = (): readonly { readonly _id: BSON.ObjectId; readonly value: unknown }[] =>
  [
    new BSON.Double(1.5),
    new BSON.Double(Number.NaN),
    new BSON.Double(-0),
    new BSON.Double(Number.POSITIVE_INFINITY),
    'text with ünïcödé \u0000 inside',
    { nested: { deep: [1, { x: null }] } },
    [1, 'two', null],
    new BSON.Binary(Buffer.from('bytes'), 0),
    new BSON.UUID('0f8fad5b-d9cb-469f-a165-70867728950e'),
    new BSON.ObjectId('65a1b2c3d4e5f60718293a4b'),
    true,
    new Date('2026-11-19T02:00:00.123Z'),
    null,
    new BSON.BSONRegExp('^a.*b$', 'im'),
    new BSON.Code('function () { return 1 }'),
    new BSON.Int32(-1),
    new BSON.Timestamp({ t: 1_700_000_000, i: 7 }),
    BSON.Long.fromString('9007199254740993'),
    BSON.Decimal128.fromString('123456789.123456789'),
    new BSON.MinKey(),
    new BSON.MaxKey(),
  ].map((value) => ({ _id: new BSON.ObjectId(), value }));
