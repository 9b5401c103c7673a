import { BSON } from 'mongodb';

/** An archive of mongodump, byte by byte: what tests change in it, the tools would never write. */
export interface ArchiveParts {
  readonly version?: string;
  readonly serverVersion?: string;
  readonly collections: readonly CollectionParts[];
}

export interface CollectionParts {
  readonly database: string;
  readonly name: string;
  readonly type?: 'collection' | 'view' | 'timeseries';
  readonly options?: object;
  readonly indexes?: readonly object[];
  readonly documents?: readonly object[];
  /** What the end of the collection says of its documents; the right one when absent, no end at all when null. */
  readonly crc?: bigint | null;
}

const MAGIC = Buffer.from([0x6d, 0xe2, 0x99, 0x81]);
export const TERMINATOR: Buffer = Buffer.from([0xff, 0xff, 0xff, 0xff]);
const POLYNOMIAL = 0xc96c5795d7870f42n;
const ALL = 0xffffffffffffffffn;

/** CRC-64 of ECMA-182 bit by bit, as its definition has it. */
export function plainCrc64(bytes: Buffer): bigint {
  let crc = ALL;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ POLYNOMIAL : crc >> 1n;
  }
  return crc ^ ALL;
}

export const bson = (document: object): Buffer => Buffer.from(BSON.serialize(document, { ignoreUndefined: true }));

const dataName = ({ name, type }: CollectionParts): string => (type === 'timeseries' ? `system.buckets.${name}` : name);

/** The block that opens, or closes, a collection. */
export const namespaceHeader = (collection: CollectionParts, EOF: boolean, crc: bigint): Buffer =>
  bson({
    db: collection.database,
    collection: dataName(collection),
    EOF,
    CRC: BSON.Long.fromBigInt(BigInt.asIntN(64, crc)),
  });

export const archiveHeader = (version = '0.1', serverVersion = '7.0.14'): Buffer =>
  Buffer.concat([
    MAGIC,
    bson({
      concurrent_collections: new BSON.Int32(4),
      version,
      server_version: serverVersion,
      tool_version: '100.10.0',
    }),
  ]);

export function collectionHeader({ database, name, type, options, indexes }: CollectionParts): Buffer {
  const isData = !name.startsWith('$') && database !== '';
  const metadata = isData
    ? BSON.EJSON.stringify(
        { options: options ?? {}, indexes: indexes ?? [], uuid: '', collectionName: name, type: type ?? 'collection' },
        { relaxed: false },
      )
    : '';
  return bson({ db: database, collection: name, metadata, size: new BSON.Int32(0), type: type ?? 'collection' });
}

/** The documents of a collection and its end. */
export function collectionBlocks(collection: CollectionParts): Buffer {
  const documents = Buffer.concat((collection.documents ?? []).map(bson));
  const data = [namespaceHeader(collection, false, 0n), documents, TERMINATOR];
  const crc = collection.crc === undefined ? plainCrc64(documents) : collection.crc;
  return Buffer.concat(crc === null ? data : [...data, namespaceHeader(collection, true, crc), TERMINATOR]);
}

export const archiveBytes = ({ version, serverVersion, collections }: ArchiveParts): Buffer =>
  Buffer.concat([
    archiveHeader(version, serverVersion),
    ...collections.map(collectionHeader),
    TERMINATOR,
    ...collections.map(collectionBlocks),
  ]);
