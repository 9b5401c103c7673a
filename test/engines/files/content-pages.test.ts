import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createContentPages } from '../../../src/engines/files/content-pages.ts';

const PAGE = 4096;

/** What a file of the given runs tells, cut into chunks of the given sizes. */
function tell(file: Buffer, runs: readonly (readonly [number, number])[], cuts: readonly number[]): unknown[] {
  const told: unknown[] = [];
  let pages = Buffer.alloc(0);
  const sink = {
    pages: (bytes: Buffer) => {
      pages = Buffer.concat([pages, bytes]);
    },
    gap: (start: number, count: number) => {
      told.push([start, count]);
    },
  };
  const content = createContentPages(sink);
  let turn = 0;
  for (const [start, length] of runs) {
    for (let at = start; at < start + length;) {
      const size = Math.min(Math.max(1, cuts[turn++ % cuts.length] ?? 1), start + length - at);
      content.update(Buffer.from(file.subarray(at, at + size)), at);
      at += size;
    }
  }
  content.finish(file.length);
  return [told, pages.toString('hex')];
}

/** The straightforward way, page by page. */
function expected(file: Buffer): unknown[] {
  const gaps: [number, number][] = [];
  const pages: Buffer[] = [];
  for (let page = 0; page * PAGE < file.length; page++) {
    const bytes = file.subarray(page * PAGE, (page + 1) * PAGE);
    const last = gaps.at(-1);
    if (bytes.some((byte) => byte !== 0)) pages.push(bytes);
    else if (last !== undefined && last[0] + last[1] === page) last[1]++;
    else gaps.push([page, 1]);
  }
  return [gaps, Buffer.concat(pages).toString('hex')];
}

const piece = fc.record({ kind: fc.constantFrom('zeros', 'bytes'), size: fc.integer({ min: 1, max: 3 * PAGE }) });

test('holes, written zeros and the sizes of chunks make no difference', () => {
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1 }),
      (pieces, cuts) => {
        const file = Buffer.concat(pieces.map(({ kind, size }) => Buffer.alloc(size, kind === 'zeros' ? 0 : 7)));
        const runs: [number, number][] = [];
        let at = 0;
        for (const { kind, size } of pieces) {
          if (kind === 'bytes') runs.push([at, size]);
          at += size;
        }
        expect(tell(file, [[0, file.length]], cuts)).toEqual(expected(file));
        expect(tell(file, runs, cuts)).toEqual(expected(file));
      },
    ),
    { numRuns: 300, seed: 11 },
  );
});

test('a file after another one starts anew', () => {
  const gaps: unknown[] = [];
  const content = createContentPages({ pages: () => undefined, gap: (start, count) => gaps.push([start, count]) });
  content.update(Buffer.alloc(10, 1), 0);
  content.finish(5 * PAGE);
  content.finish(2 * PAGE);
  content.finish(0);
  expect(gaps).toEqual([
    [1, 4],
    [0, 2],
  ]);
});
