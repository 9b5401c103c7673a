import type { RawReader } from '../../engine.ts';
import { createTarReader } from '../../files/tar-reader.ts';
import type { MemberSink } from '../../databases/file-writer.ts';
import type { BlockCounts } from './blocks.ts';
import { cutArchive, damagedArchive } from './errors.ts';
import { readHeader } from './header.ts';
import { type ArchiveEntry, nameOfEntry, readToc } from './toc.ts';
import { createCopyEnd, NEWLINES_AT_END } from '../server/copy-end.ts';
import { countNewlines } from './count-newlines.ts';
import type { ArchiveStart } from './custom-archive.ts';
import { archiveFacts } from './dump-facts.ts';
import { createFeed, type Reading } from './feed.ts';
import { createLargeObjectMembers } from './large-object-members.ts';

/** `tar` as pg_dump writes it, with a script at its end; `directory` is a dump folder that bkp put into a tar. */
export type TarForm = 'tar' | 'directory';

/** Takes an archive of files piece by piece. */
export interface TarArchiveReader {
  push(chunk: Buffer): void;
  /** Header and table of contents, as soon as they have passed. */
  start(): ArchiveStart | undefined;
  /** Throws `integrity` unless the archive was whole. */
  end(): ArchiveStart & BlockCounts;
}

/** What is done with the bytes of the present file. */
interface Member {
  data(chunk: Buffer): void;
  end(): void;
}

export const TOC_FILE = 'toc.dat';
const SCRIPT_FILE = 'restore.sql';
/** Names become files: none may lead out of their folder. */
const DATA_FILE = /^(?:\d+\.dat|blobs(?:_\d+)?\.toc)$/;
const UNREAD: Member = { data: () => undefined, end: () => undefined };

/**
 * Reads the files of an archive: the table of contents, which comes first and names the others, rows for COPY, large
 * objects with their lists. Whole means that every file that is named came once, and no other. The reader of the files
 * engine takes the tar apart: it demands the end mark, which tar-stream does not.
 */
export function createTarArchiveReader(form: TarForm, sink?: MemberSink): TarArchiveReader {
  const feed = createFeed(readStart());
  const rows = new Map<number, number>();
  const objects = createLargeObjectMembers();
  const lists: Member = { data: (chunk) => objects.list(chunk), end: () => objects.endList() };
  let missing: Map<string, ArchiveEntry> | null = null;
  let known: ReadonlySet<string> = new Set();
  let hasScript = false;
  let isFirst = true;
  let member: Member = UNREAD;

  const toc: Member = {
    data(chunk) {
      if (feed.push(chunk) < chunk.length) throw damagedArchive('something follows its table of contents');
    },
    end() {
      const start = feed.outcome();
      if (start === undefined) throw cutArchive('before the end of its table of contents');
      const withFile = start.entries.filter(({ file }) => file !== null);
      missing = new Map(
        withFile.map((entry) => [form === 'tar' ? fileInTar(entry, start) : (entry.file ?? ''), entry]),
      );
      known = new Set(missing.keys());
      for (const name of known) if (!DATA_FILE.test(name)) throw damagedArchive('its table of contents names no file');
      if (known.size < withFile.length) throw damagedArchive('two entries of its table of contents have one file');
    },
  };

  const memberOf = (name: string): Member => {
    if (isFirst) {
      if (name !== TOC_FILE) throw damagedArchive(`it begins with ${name}, not with ${TOC_FILE}`);
      return toc;
    }
    const entry = missing?.get(name);
    if (entry !== undefined) {
      missing?.delete(name);
      if (entry.desc === 'BLOBS') return lists;
      return entry.desc === 'TABLE DATA' && entry.isCopy ? rowsOf(entry) : UNREAD;
    }
    if (objects.begin(name)) return UNREAD;
    if (form === 'tar' && name === SCRIPT_FILE && !hasScript) {
      hasScript = true;
      return UNREAD;
    }
    const isRepeated = name === TOC_FILE || name === SCRIPT_FILE || known.has(name);
    throw damagedArchive(isRepeated ? `${name} stands twice in it` : `${name} is no file of its table of contents`);
  };

  const rowsOf = (entry: ArchiveEntry): Member => {
    const copyEnd = createCopyEnd();
    let newlines = 0;
    copyEnd.begin();
    return {
      data(chunk) {
        newlines += countNewlines(chunk, 0, chunk.length);
        copyEnd.take(chunk, 0, chunk.length);
        copyEnd.leave(chunk);
      },
      end() {
        if (newlines < NEWLINES_AT_END || !copyEnd.isThere(NOTHING))
          throw damagedArchive(`the data of ${nameOfEntry(entry)} have no end mark`);
        rows.set(entry.dumpId, newlines - NEWLINES_AT_END);
      },
    };
  };

  const tar = createTarReader({
    begin({ name, type }) {
      if (type !== 'file') throw damagedArchive('something in it is no file');
      member = memberOf(name);
      isFirst = false;
      sink?.begin(name);
    },
    data(chunk) {
      member.data(chunk);
      sink?.data(chunk);
    },
    end() {
      member.end();
      sink?.end();
    },
  });

  return {
    push: (chunk) => tar.push(chunk),
    start: () => feed.outcome(),
    end() {
      tar.end();
      const start = feed.outcome();
      if (start === undefined || missing === null) throw cutArchive('before its table of contents');
      const [first] = missing.values();
      if (first !== undefined) throw damagedArchive(`the data of ${nameOfEntry(first)} are missing`);
      const largeObjects = objects.end();
      if (form === 'tar' && !hasScript) throw cutArchive(`before ${SCRIPT_FILE}`);
      return { ...start, rows, largeObjects };
    },
  };
}

const NOTHING = Buffer.alloc(0);

/** In the tar format a list of large objects has another name than its entry tells; since 1.16 there are several. */
function fileInTar({ desc, dumpId, file }: ArchiveEntry, { header }: ArchiveStart): string {
  if (desc !== 'BLOBS') return file ?? '';
  return header.minor < 16 ? 'blobs.toc' : `blobs_${dumpId}.toc`;
}

/** Sees a dump in the tar format while it is stored; its facts go into the manifest. */
export const openTarInspector = (): RawReader => inspector('tar');

/** The same for a dump folder in a tar. */
export const openDirectoryInspector = (): RawReader => inspector('directory');

function inspector(form: TarForm): RawReader {
  const reader = createTarArchiveReader(form);
  return { push: (chunk) => reader.push(chunk), end: () => archiveFacts(reader.end()) };
}

function* readStart(): Reading<ArchiveStart> {
  const header = yield* readHeader('tar');
  return { header, entries: yield* readToc(header, 'tar') };
}
