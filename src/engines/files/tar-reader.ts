import { integrityError } from '../../errors.ts';
import { type ByteName, quoteName } from './byte-name.ts';
import { decodePax, type PaxRecord } from './pax-records.ts';
import {
  checkSegments,
  paddingAfter,
  readMapInData,
  readMapInHeaders,
  type Segment,
  type SparseMapReader,
} from './sparse-map.ts';
import { type EntryLayout, readEntry, type TarEntry } from './tar-entry.ts';
import { BLOCK, decodeHeader } from './tar-header.ts';

/** What happens to the members of an archive while it is read; all calls are synchronous. */
export interface TarHandler {
  begin(entry: TarEntry): void;
  /** Bytes of the entry and where they lie in the file; holes are left out. The chunk is reused afterwards. */
  data(chunk: Buffer, offset: number): void;
  end(entry: TarEntry): void;
}

/** Takes an archive piece by piece, in pieces of any size. */
export interface TarReader {
  push(chunk: Buffer): void;
  /** Throws `integrity` unless the archive was whole: two zero blocks at its end and nothing but zeros after them. */
  end(): void;
}

type Step = 'header' | 'pax' | 'comment' | 'long-name' | 'long-target' | 'map' | 'data' | 'ended';

const MOST_EXTENSION_BYTES = 16 * 1024 * 1024;
const ZEROS = Buffer.alloc(64 * 1024);
const EXTENSIONS: Readonly<Record<string, Step>> = { x: 'pax', g: 'comment', L: 'long-name', K: 'long-target' };

/**
 * Reads tar archives (pax, ustar, GNU) as GNU tar and libarchive write them. Strict: what is damaged, cut or ambiguous
 * throws `integrity`. Names and attributes stay bytes, which is why no library does this (tar-stream decodes pax
 * headers as UTF-8, knows no sparse files and does not ask for the end mark).
 */
export function createTarReader(handler: TarHandler): TarReader {
  let step: Step = 'header';
  let wanted = BLOCK;
  let held = 0;
  let scratch: Buffer = Buffer.allocUnsafe(BLOCK);
  let skip = 0;
  let total = 0;
  let zeroBlocks = 0;
  let pax: readonly PaxRecord[] | null = null;
  let longName: ByteName | null = null;
  let longTarget: ByteName | null = null;
  let layout: EntryLayout | null = null;
  let map: SparseMapReader | null = null;
  let segments: readonly Segment[] | null = null;
  let segment = 0;
  let offset = 0;
  let remaining = 0;

  const collect = (next: Step, bytes: number): void => {
    step = next;
    wanted = bytes;
    if (scratch.length < bytes) scratch = Buffer.allocUnsafe(bytes);
  };

  const takeHeader = (block: Buffer): void => {
    if (block[0] === 0 && block.equals(ZEROS.subarray(0, BLOCK))) {
      if (pax !== null || longName !== null || longTarget !== null) throw damaged('a header is missing');
      if (++zeroBlocks === 2) step = 'ended';
      return;
    }
    if (zeroBlocks > 0) throw damaged('a lone block of zeros stands in it');
    const header = decodeHeader(block);
    const extension = EXTENSIONS[header.flag];
    if (extension !== undefined) {
      if (header.size > MOST_EXTENSION_BYTES) throw damaged('an extended header is too large');
      if (header.size === 0) takeExtension(extension, block.subarray(0, 0));
      else collect(extension, header.size);
      return;
    }
    layout = readEntry(header, { pax, longName, longTarget });
    pax = longName = longTarget = null;
    remaining = layout.storedBytes;
    if (header.flag === 'S') {
      const inHeaders = readMapInHeaders(block);
      map = inHeaders;
      layout = { ...layout, entry: { ...layout.entry, size: inHeaders.size }, sparse: inHeaders.segments };
      if (inHeaders.isComplete) begin(inHeaders.segments);
      else collect('map', BLOCK);
    } else if (layout.sparse === 'in-data') {
      map = readMapInData();
      if (remaining < BLOCK) throw damaged('the map of a sparse file is missing');
      collect('map', BLOCK);
    } else {
      begin(layout.sparse);
    }
  };

  const takeExtension = (kind: Step, body: Buffer): void => {
    collect('header', BLOCK);
    skip = paddingAfter(body.length);
    if (kind === 'long-name') longName = untilZero(body);
    else if (kind === 'long-target') longTarget = untilZero(body);
    else if (kind === 'pax' && pax === null) pax = decodePax(body);
    else if (kind === 'pax') throw damaged('an entry has two pax headers');
    else if (decodePax(body).some(([key]) => key !== 'comment')) throw damaged('it has a global pax header');
  };

  const takeMap = (block: Buffer): void => {
    const current = layout as EntryLayout;
    const isInData = current.sparse === 'in-data';
    const isComplete = (map as SparseMapReader).take(block);
    if (isInData) remaining -= BLOCK;
    if (isComplete) begin((map as SparseMapReader).segments);
    else if (isInData && remaining < BLOCK) throw damaged('the map of a sparse file is cut');
  };

  const begin = (runs: readonly Segment[] | null): void => {
    const { entry } = layout as EntryLayout;
    if (runs !== null) checkSegments(runs, entry.size, remaining);
    segments = runs;
    segment = 0;
    offset = 0;
    step = 'data';
    skip = 0;
    handler.begin(entry);
    if (remaining === 0) finish();
  };

  const takeData = (chunk: Buffer): void => {
    remaining -= chunk.length;
    if (segments === null) {
      handler.data(chunk, offset);
      offset += chunk.length;
    } else {
      takeRuns(chunk, segments);
    }
    if (remaining === 0) finish();
  };

  const takeRuns = (chunk: Buffer, runs: readonly Segment[]): void => {
    let at = 0;
    while (at < chunk.length) {
      const [start, length] = runs[segment] as Segment;
      const bytes = Math.min(length - offset, chunk.length - at);
      if (bytes > 0) handler.data(chunk.subarray(at, at + bytes), start + offset);
      at += bytes;
      offset += bytes;
      if (offset === length) {
        segment++;
        offset = 0;
      }
    }
  };

  const finish = (): void => {
    const { entry, storedBytes } = layout as EntryLayout;
    handler.end(entry);
    collect('header', BLOCK);
    skip = paddingAfter(storedBytes);
    layout = null;
    map = null;
  };

  const take = (block: Buffer): void => {
    if (step === 'header') takeHeader(block);
    else if (step === 'map') takeMap(block);
    else takeExtension(step, block);
  };

  const push = (chunk: Buffer): void => {
    total += chunk.length;
    let at = 0;
    while (at < chunk.length) {
      const left = chunk.length - at;
      if (skip > 0) {
        const bytes = Math.min(skip, left);
        skip -= bytes;
        at += bytes;
      } else if (step === 'data') {
        const bytes = Math.min(remaining, left);
        takeData(chunk.subarray(at, at + bytes));
        at += bytes;
      } else if (step === 'ended') {
        if (!isZero(chunk.subarray(at))) throw damaged('bytes stand after its end');
        return;
      } else if (held === 0 && left >= wanted) {
        at += wanted;
        take(chunk.subarray(at - wanted, at));
      } else {
        const bytes = Math.min(wanted - held, left);
        chunk.copy(scratch, held, at, at + bytes);
        held += bytes;
        at += bytes;
        if (held === wanted) {
          held = 0;
          take(scratch.subarray(0, wanted));
        }
      }
    }
  };

  return {
    push,
    end() {
      if (step === 'ended' && total % BLOCK === 0) return;
      const where = layout === null ? '' : ` in the middle of ${quoteName(layout.entry.name)}`;
      throw damaged(step === 'ended' ? 'its last block is cut' : `it ends early${where}`);
    },
  };
}

function untilZero(body: Buffer): ByteName {
  const end = body.indexOf(0);
  return body.toString('latin1', 0, end < 0 ? body.length : end);
}

function isZero(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const piece = bytes.subarray(at, at + ZEROS.length);
    if (!piece.equals(ZEROS.subarray(0, piece.length))) return false;
  }
  return true;
}

const damaged = (reason: string): Error =>
  integrityError(`cannot read the archive: ${reason}`, { hint: 'the archive is damaged; use another copy' });
