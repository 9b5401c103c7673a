import { Readable } from 'node:stream';
import type { IncomingArtifact } from '../../../src/engines/engine.ts';
import { bytesOf, createCrc64, JONES } from '../../../src/engines/crc64.ts';

/** A length as dumps write it. */
export const length = (value: number): Buffer => {
  if (value < 64) return Buffer.of(value);
  if (value < 16_384) return Buffer.of(0x40 | (value >> 8), value & 255);
  const bytes = Buffer.alloc(5);
  bytes[0] = 0x80;
  bytes.writeUInt32BE(value, 1);
  return bytes;
};

/** A string as dumps write it, not packed. */
export const text = (value: string): Buffer => Buffer.concat([length(Buffer.byteLength(value)), Buffer.from(value)]);

/** A key with a value of a kind. */
export const key = (kind: number, name: string, ...value: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.of(kind), text(name), ...value]);

/** The name of a module's own type: nine letters and a version of ten bits. */
export function moduleName(name: string): Buffer {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const id = Array.from(name).reduce((sum, letter) => (sum << 6n) | BigInt(letters.indexOf(letter)), 0n) << 10n;
  const bytes = Buffer.alloc(9, 0x81);
  bytes.writeBigUInt64BE(id, 1);
  return bytes;
}

/** A whole dump of one database. */
export function makeDump(head: string, ...parts: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat([Buffer.from(head), Buffer.of(254, 0), ...parts, Buffer.of(255)]);
  const crc = createCrc64(JONES);
  crc.update(bytes);
  return Buffer.concat([bytes, bytesOf(crc)]);
}

/** Bytes as something that was stored. */
export const stored = (bytes: Buffer): IncomingArtifact => ({
  name: '',
  format: 'rdb',
  rawBytes: bytes.length,
  async into(sink) {
    if (sink.kind !== 'reader') throw new Error('read here only');
    await sink.read(Readable.from([bytes], { objectMode: false }));
  },
});
