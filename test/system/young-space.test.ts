import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SMALL_YOUNG_SPACE } from '../../src/system/young-space.ts';

const MODULE = join(import.meta.dirname, '../../src/system/young-space.ts');

/** Bytes of the young space after many objects that live for a while. */
function youngBytes(begin: string, ...flags: readonly string[]): number {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { keepYoungSpaceSmall } from ${JSON.stringify(MODULE)};
    ${begin}
    const held = new Array(2e5).fill(null);
    for (let n = 0; n < 4e6; n += 1) held[n % held.length] = { n };
    console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size);`;
  const argv = [...flags, '--input-type=module', '-e', script];
  return Number(execFileSync(process.execPath, argv, { stdio: ['ignore', 'pipe', 'ignore'] }).toString());
}

test('the space for short-lived objects stays as small as it begins', () => {
  expect(youngBytes('')).toBeGreaterThanOrEqual(16 * 2 ** 20);
  expect(youngBytes('keepYoungSpaceSmall();')).toBeLessThanOrEqual(4 * 2 ** 20);
  expect(youngBytes('', SMALL_YOUNG_SPACE)).toBeLessThanOrEqual(4 * 2 ** 20);
});
