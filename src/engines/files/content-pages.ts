const PAGE = 4096;
const ZERO_PAGE = Buffer.alloc(PAGE);

/** What the content of files is told to: runs of pages that hold something, and runs of pages of zeros. */
export interface PageSink {
  pages(bytes: Buffer): void;
  /** Counted in pages from the beginning of the file. */
  gap(start: number, count: number): void;
}

/** Cuts one file after another into pages. */
export interface ContentPages {
  /** Bytes at a place in the file, in ascending order; what is left out is zeros. */
  update(chunk: Buffer, offset: number): void;
  /** Tells the rest of the file; ready for the next one then. */
  finish(size: number): void;
}

/**
 * Tells the content of files so that pages of zeros count the same whether they were written or are a hole: where holes
 * lie differs between file systems. The last page of a file may be short.
 */
export function createContentPages(sink: PageSink): ContentPages {
  const partial = Buffer.alloc(PAGE);
  let gapStart = 0;
  let gapPages = 0;
  /** The page under way, and how many of its bytes are in `partial`. */
  let page = 0;
  let held = 0;

  const closeGap = (): void => {
    if (gapPages > 0) sink.gap(gapStart, gapPages);
    gapPages = 0;
  };
  const skipPages = (count: number): void => {
    if (gapPages === 0) gapStart = page;
    gapPages += count;
    page += count;
  };
  const takePages = (bytes: Buffer): void => {
    let start = 0;
    for (let at = 0; at < bytes.length; at += PAGE) {
      if (isZero(bytes, at, Math.min(at + PAGE, bytes.length))) {
        if (at > start) sink.pages(bytes.subarray(start, at));
        start = at + PAGE;
        skipPages(1);
      } else {
        if (gapPages > 0) closeGap();
        page++;
      }
    }
    if (start < bytes.length) sink.pages(start === 0 ? bytes : bytes.subarray(start));
  };
  const fill = (bytes: Buffer): number => {
    const count = Math.min(PAGE - held, bytes.length);
    bytes.copy(partial, held, 0, count);
    held += count;
    if (held === PAGE) {
      held = 0;
      takePages(partial);
    }
    return count;
  };
  const skipTo = (offset: number): void => {
    let left = offset - (page * PAGE + held);
    if (held > 0 && left > 0) left -= fill(ZERO_PAGE.subarray(0, left));
    if (left >= PAGE) skipPages(Math.floor(left / PAGE));
    if (left % PAGE > 0) fill(ZERO_PAGE.subarray(0, left % PAGE));
  };

  return {
    update(chunk, offset) {
      skipTo(offset);
      const head = held > 0 ? fill(chunk) : 0;
      const whole = head + Math.floor((chunk.length - head) / PAGE) * PAGE;
      if (whole > head) takePages(chunk.subarray(head, whole));
      if (whole < chunk.length) fill(chunk.subarray(whole));
    },
    finish(size) {
      skipTo(size);
      if (held > 0) takePages(partial.subarray(0, held));
      closeGap();
      page = held = 0;
    },
  };
}

function isZero(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[start] !== 0 || bytes[end - 1] !== 0 || bytes[(start + end) >>> 1] !== 0) return false;
  return bytes.compare(ZERO_PAGE, 0, end - start, start, end) === 0;
}
