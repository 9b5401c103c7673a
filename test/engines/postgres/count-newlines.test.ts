import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countNewlines } from '../../../src/engines/postgres/archive/count-newlines.ts';

test('counts every newline of a range, wherever it lies in memory', () => {
  const bytes = fc.array(fc.constantFrom(10, 10, 10, 0, 9, 11, 138, 255), { maxLength: 3000 });
  fc.assert(
    fc.property(bytes, fc.nat(9), fc.nat(9), (values, before, after) => {
      const memory = Buffer.from([...Array.from({ length: before }, () => 10), ...values]);
      const chunk = memory.subarray(before);
      const end = Math.max(0, values.length - after);
      const start = Math.min(after, end);
      expect(countNewlines(chunk, start, end)).toBe(values.slice(start, end).filter((value) => value === 10).length);
    }),
    { numRuns: 500 },
  );
});
