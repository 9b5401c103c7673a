import { createHash } from 'node:crypto';
import { pack as createPack, type Header } from 'tar-stream';
import { createTarReader, type TarHandler } from '../../../src/engines/files/tar-reader.ts';
import type { TarEntry } from '../../../src/engines/files/tar-entry.ts';
import { readArchive } from '../../../src/engines/files/read-archive.ts';
import { createTreeCounter, type TreeCount } from '../../../src/engines/files/tree-counter.ts';
import { Readable } from 'node:stream';

export type Member = Partial<Header> & {
  readonly content?: string | Buffer;
  readonly pax?: Readonly<Record<string, string>>;
};

/** An archive made by tar-stream, which knows nothing of our reader. */
export async function makeArchive(...members: readonly Member[]): Promise<Buffer> {
  const pack = createPack();
  for (const { content, name = 'x', ...header } of members) {
    pack.entry(
      {
        name,
        mtime: new Date(1_700_000_000_000),
        mode: 0o644,
        uid: process.getuid?.() ?? 0,
        gid: process.getgid?.() ?? 0,
        ...header,
      },
      content ?? '',
    );
  }
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export const folder = (name: string, more: Partial<Member> = {}): Member => ({
  name,
  type: 'directory',
  mode: 0o755,
  ...more,
});
export const file = (name: string, content = 'x', more: Partial<Member> = {}): Member => ({ name, content, ...more });
export const symlink = (name: string, linkname: string): Member => ({ name, type: 'symlink', linkname });
export const link = (name: string, linkname: string): Member => ({ name, type: 'link', linkname });

/** Corrects the checksum of the header block at an offset after it was changed. */
export function fixChecksum(archive: Buffer, at: number): Buffer {
  archive.fill(0x20, at + 148, at + 156);
  let sum = 0;
  for (let index = at; index < at + 512; index++) sum += archive[index] as number;
  archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  return archive;
}

export interface ReadMember {
  readonly entry: TarEntry;
  /** SHA-256 of the content with its holes as zeros. */
  readonly sha256: string;
}

/** Reads an archive in pieces of the given sizes, in turn. */
export function readMembers(archive: Buffer, pieces: readonly number[] = [65_536]): readonly ReadMember[] {
  const members: ReadMember[] = [];
  let hash = createHash('sha256');
  let position = 0;
  /** Holes of gigabytes are left out of the hash. */
  const zerosTo = (offset: number): void => {
    if (offset - position > 1e8) position = offset;
    for (; position < offset; position += Math.min(offset - position, 65_536)) {
      hash.update(Buffer.alloc(Math.min(offset - position, 65_536)));
    }
  };
  const handler: TarHandler = {
    begin() {
      hash = createHash('sha256');
      position = 0;
    },
    data(chunk, offset) {
      zerosTo(offset);
      hash.update(chunk);
      position = offset + chunk.length;
    },
    end(entry) {
      zerosTo(entry.size);
      members.push({ entry, sha256: hash.digest('hex') });
    },
  };
  const reader = createTarReader(handler);
  for (let at = 0, turn = 0; at < archive.length; turn++) {
    const size = Math.max(1, pieces[turn % pieces.length] ?? 1);
    // A copy, so that a reader that keeps a piece is caught.
    const piece = Buffer.from(archive.subarray(at, at + size));
    reader.push(piece);
    piece.fill(0xee);
    at += size;
  }
  reader.end();
  return members;
}

/** Counts an archive as a capture does. */
export const countArchive = (archive: Buffer): Promise<TreeCount> => readArchive(Readable.from([archive]));

/** Counts entries made up by a test. */
export function countEntries(
  members: readonly { readonly entry: TarEntry; readonly chunks?: readonly (readonly [Buffer, number])[] }[],
): TreeCount {
  const counter = createTreeCounter();
  for (const { entry, chunks } of members) {
    counter.begin(entry);
    for (const [chunk, offset] of chunks ?? []) counter.data(chunk, offset);
    counter.end(entry);
  }
  return counter.count();
}
