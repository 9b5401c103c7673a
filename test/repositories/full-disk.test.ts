import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { testFolder } from '../test-context.ts';

const child = new URL('full-disk-child.ts', import.meta.url).pathname;
const run = promisify(execFile);

const untouched = { keys: ['old/object'], old: 'old', temporary: [], next: { bytes: 1 } };
const full = (reason: RegExp, hint: RegExp): unknown => ({
  code: 'repository',
  message: expect.stringMatching(reason),
  hint: expect.stringMatching(hint),
});

test('an object larger than the limit for files leaves nothing behind', async () => {
  const root = await testFolder();
  const limited = `ulimit -f 1024; exec "$0" "$@"`;
  const { stdout } = await run('bash', ['-c', limited, process.execPath, child, root, '4000000']);
  const refused = full(/larger than its file system or a limit allows/, /ulimit/);
  expect(JSON.parse(stdout)).toEqual({ ...untouched, failed: refused, created: refused });
});

if (process.platform === 'linux') {
  test('a full disk leaves nothing behind and what was there unharmed', async () => {
    const root = join(await testFolder(), 'disk');
    mkdirSync(root);
    // A mount of our own, in a namespace that goes with the process.
    const mounted = `mount -t tmpfs -o size=2m none "$2" && exec "$0" "$@"`;
    const { stdout } = await run('unshare', [
      '--map-root-user',
      '--mount',
      'sh',
      '-c',
      mounted,
      process.execPath,
      child,
      root,
      '8000000',
    ]);
    const refused = full(/no space left/, /retention/);
    expect(JSON.parse(stdout)).toEqual({ ...untouched, failed: refused, created: refused });
  });
}
