import { type BsonField, readBsonFields } from './bson-fields.ts';
import { createCrc64, type Crc64, ECMA } from '../../crc64.ts';
import { cutArchive, damagedArchive, unreadableArchive } from './errors.ts';

/** What an archive says of one collection before any document. */
export interface ArchivedCollection {
  readonly database: string;
  readonly name: string;
  /** `collection`, `view`, `timeseries`; empty where mongodump does not tell. */
  readonly type: string;
  /** Options and indexes as extended JSON; empty where it has none. */
  readonly metadata: string;
}

export interface ArchiveStart {
  readonly serverVersion: string;
  readonly toolVersion: string;
  readonly collections: readonly ArchivedCollection[];
}

/** Takes an archive of mongodump piece by piece. Memory is that of what stands before the documents. */
export interface ArchiveReader {
  push(chunk: Buffer): void;
  /** What stands before the documents, as soon as it has passed. */
  start(): ArchiveStart | undefined;
  /** Documents by namespace. Throws `integrity` unless all that was announced was there, closed, and right. */
  end(): ArchiveStart & { readonly documents: ReadonlyMap<string, number> };
}

const MAGIC = 0x8199e26d;
const TERMINATOR = -1;
const [SMALLEST, LARGEST] = [5, 17 * 1024 * 1024];
const GZIP = 0x8b1f;

/** One stream of documents inside the archive. */
interface Stream {
  readonly crc: Crc64;
  documents: number;
  isClosed: boolean;
}

/** Where the documents of a collection stand: those of a time series lie in its buckets. */
export const dataNamespace = ({ database, name, type }: ArchivedCollection): string =>
  `${database}.${type === 'timeseries' ? `system.buckets.${name}` : name}`;

/** What comes next, as far as the format tells. */
type Expecting = 'magic' | 'archive header' | 'collection' | 'block header' | 'document' | 'end of block';

export function createArchiveReader(): ArchiveReader {
  const streams = new Map<string, Stream>();
  const collections: ArchivedCollection[] = [];
  let header: Readonly<Record<string, BsonField>> = {};
  let expecting: Expecting = 'magic';
  let current: Stream | null = null;
  /** What is held of a length or a header that is not whole yet. */
  let held: Buffer = Buffer.alloc(0);
  /** Bytes of a document that are still to come. */
  let rest = 0;

  const openBlock = (fields: Readonly<Record<string, BsonField>>): void => {
    const namespace = `${text(fields['db'])}.${text(fields['collection'])}`;
    if (text(fields['collection']) === '') throw damagedArchive('a block is of no collection');
    const known = streams.get(namespace);
    if (known?.isClosed === true) throw damagedArchive(`${namespace} goes on after its end`);
    const stream = known ?? { crc: createCrc64(ECMA), documents: 0, isClosed: false };
    streams.set(namespace, stream);
    current = stream;
    expecting = fields['EOF'] === true ? 'end of block' : 'document';
    if (fields['EOF'] !== true) return;
    stream.isClosed = true;
    if (BigInt.asUintN(64, BigInt(number(fields['CRC']))) !== stream.crc.value())
      throw damagedArchive(`the checksum of ${namespace} is another one`);
  };

  const takeHeader = (document: Buffer): void => {
    if (document.at(-1) !== 0) throw damagedArchive('a header has no end');
    const fields = readBsonFields(document);
    if (expecting === 'archive header') {
      header = fields;
      if (text(fields['version']) !== '0.1')
        throw unreadableArchive(
          `its format has the version ${text(fields['version'])}`,
          'bkp reads version 0.1, which mongodump has written so far',
        );
      expecting = 'collection';
    } else if (expecting === 'collection') {
      const [database, name] = [text(fields['db']), text(fields['collection'])];
      collections.push({ database, name, type: text(fields['type']), metadata: text(fields['metadata']) });
    } else openBlock(fields);
  };

  const terminate = (): void => {
    if (expecting === 'archive header' || expecting === 'block header')
      throw damagedArchive('a block ends before it begins');
    expecting = 'block header';
    current = null;
  };

  const checkSize = (size: number): void => {
    if (size < SMALLEST || size > LARGEST) throw damagedArchive(`a document of ${size} bytes`);
    if (expecting === 'end of block') throw damagedArchive('documents follow the end of their collection');
  };

  /** Whole documents, and the beginning of one more, straight from the chunk. Returns where something else follows. */
  const takeDocuments = (chunk: Buffer, from: number, stream: Stream): number => {
    let at = from;
    while (chunk.length - at >= 4) {
      const size = chunk.readInt32LE(at);
      if (size === TERMINATOR) break;
      checkSize(size);
      stream.documents += 1;
      if (at + size > chunk.length) {
        rest = at + size - chunk.length;
        at = chunk.length;
        break;
      }
      at += size;
      if (chunk[at - 1] !== 0) throw damagedArchive('a document has no end');
    }
    stream.crc.update(chunk, from, at);
    return at;
  };

  const takeRest = (chunk: Buffer, from: number, stream: Stream): number => {
    const at = Math.min(chunk.length, from + rest);
    stream.crc.update(chunk, from, at);
    rest -= at - from;
    if (rest === 0 && chunk[at - 1] !== 0) throw damagedArchive('a document has no end');
    return at;
  };

  /** Holds bytes until there are as many as a length or a header needs. */
  const hold = (chunk: Buffer, from: number, needed: number): number => {
    const at = Math.min(chunk.length, from + needed - held.length);
    held = Buffer.concat([held, chunk.subarray(from, at)]);
    return at;
  };

  const takeHeld = (): void => {
    const size = held.readInt32LE(0);
    if (expecting === 'magic') {
      if (held.readUInt32LE(0) !== MAGIC) throw strangeStart(held);
      expecting = 'archive header';
      held = Buffer.alloc(0);
    } else if (size === TERMINATOR) {
      terminate();
      held = Buffer.alloc(0);
    } else if (expecting === 'document' && current !== null) {
      checkSize(size);
      current.documents += 1;
      current.crc.update(held, 0, 4);
      rest = size - 4;
      held = Buffer.alloc(0);
    } else {
      checkSize(size);
      if (held.length < size) return;
      takeHeader(held);
      held = Buffer.alloc(0);
    }
  };

  const needed = (): number => {
    if (held.length < 4 || expecting === 'document') return 4;
    return held.readInt32LE(0);
  };

  return {
    push(chunk) {
      let at = 0;
      while (at < chunk.length) {
        if (rest > 0 && current !== null) at = takeRest(chunk, at, current);
        else if (expecting === 'document' && current !== null && held.length === 0 && isWhole(chunk, at))
          at = takeDocuments(chunk, at, current);
        else {
          at = hold(chunk, at, needed());
          if (held.length >= 4) takeHeld();
        }
      }
    },
    start: () =>
      expecting === 'magic' || expecting === 'archive header' || expecting === 'collection'
        ? undefined
        : startOf(header, collections),
    end() {
      if (expecting !== 'block header' || held.length > 0)
        throw cutArchive(expecting === 'magic' || expecting === 'archive header' ? 'in its header' : 'inside a block');
      const open = [...streams].find(([, { isClosed }]) => !isClosed)?.[0];
      if (open !== undefined) throw cutArchive(`before the end of ${open}`);
      const missing = collections.find((one) => one.type !== 'view' && !streams.has(dataNamespace(one)));
      if (missing !== undefined) throw cutArchive(`before ${dataNamespace(missing)}`);
      const documents = new Map([...streams].map(([namespace, stream]) => [namespace, stream.documents]));
      return { ...startOf(header, collections), documents };
    },
  };
}

/** A length that is no end of a block stands there in one piece. */
const isWhole = (chunk: Buffer, at: number): boolean => chunk.length - at >= 4 && chunk.readInt32LE(at) !== TERMINATOR;

const startOf = (
  header: Readonly<Record<string, BsonField>>,
  collections: readonly ArchivedCollection[],
): ArchiveStart => ({
  serverVersion: text(header['server_version']),
  toolVersion: text(header['tool_version']),
  collections,
});

const strangeStart = (start: Buffer): Error =>
  start.readUInt16LE(0) === GZIP
    ? unreadableArchive('it is compressed, decompress it first', 'by `gzip -dc`, or dump without --gzip')
    : damagedArchive('it does not begin like one');

const text = (field: BsonField | undefined): string => (typeof field === 'string' ? field : '');
const number = (field: BsonField | undefined): bigint | number =>
  typeof field === 'bigint' || typeof field === 'number' ? field : 0;
