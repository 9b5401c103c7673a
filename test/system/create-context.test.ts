import { readdirSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BkpError, targetError } from '../../src/errors.ts';
import { isAlive, waitFor } from './alive.ts';
import { testContext } from '../test-context.ts';

describe('createContext', () => {
  test('makes a private folder and removes it', async () => {
    const { context, dispose, folder } = await testContext();
    expect(statSync(context.workDir).mode & 0o777).toBe(0o700);
    await writeFile(join(context.workDir, 'x'), 'x');
    await dispose();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('removes the folder of a killed run, never that of a live one', async () => {
    const first = await testContext();
    const dead = first.context.workDir.replace(/-\d+-/, '-999999999-');
    await writeFile(`${dead}x`, '');
    const second = await testContext({ workDirParent: first.folder });
    expect(readdirSync(first.folder).toSorted()).toEqual(
      [first.context.workDir, second.context.workDir].map((path) => path.slice(first.folder.length + 1)).toSorted(),
    );
  });

  test('gives children a small environment', async () => {
    const { context } = await testContext({
      environment: { PATH: process.env['PATH'], HOME: '/nowhere', LANG: 'de_DE.UTF-8', TOKEN: 'canary-value' },
    });
    const { stdout } = await context.run({ argv: ['env'], env: { EXTRA: 'yes' } });
    expect(stdout.trim().split('\n').toSorted()).toEqual(
      [
        'EXTRA=yes',
        'HOME=/nowhere',
        'LANG=de_DE.UTF-8',
        'LC_ALL=C',
        `PATH=${process.env['PATH']}`,
        `TMPDIR=${context.workDir}`,
        'TZ=UTC',
      ].toSorted(),
    );
  });

  test('reports exit code, stdout and a clean stderr', async () => {
    const { context, registerSecrets } = await testContext({ secrets: ['short', 'a-long-secret'] });
    registerSecrets(['another/secret']);
    const script =
      'cat; echo "INSERT INTO t VALUES (1)" >&2; echo "(1,2)" >&2; echo "a-long-secret another%2Fsecret short" >&2; exit 3';
    const result = await context.run({ argv: ['sh', '-c', script] }, { stdin: 'hello' });
    expect(result).toEqual({ exitCode: 3, signal: null, stopped: false, stdout: 'hello', stderr: '*** *** short' });
  });

  test('says which program is missing', async () => {
    const { context } = await testContext({ environment: { PATH: '/nonexistent' } });
    expect(context.findTool('sh')).toBeUndefined();
    await expect(context.run({ argv: ['sh'] })).rejects.toMatchObject({
      code: 'tool',
      message: 'cannot run sh: no such program on PATH',
    });
  });

  test('refuses endless output', async () => {
    const { context } = await testContext();
    await expect(context.run({ argv: ['yes'] }, { maxStdoutBytes: 1000 })).rejects.toMatchObject({ code: 'tool' });
  });

  test('ends a program at its time limit', async () => {
    const { context } = await testContext();
    await expect(context.run({ argv: ['sleep', '1000'] }, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'tool',
      message: 'cannot run sleep: no end after 50 ms',
    });
  });

  test('stops the whole process group on abort', async () => {
    const controller = new AbortController();
    const { context, folder } = await testContext({ signal: controller.signal });
    const pids = join(folder, 'pids');
    const running = context.run({ argv: ['sh', '-c', `sleep 1000 & echo $! $$ > ${pids}; wait`] });
    const [child, parent] = await waitFor(pids);
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'interrupted' });
    await expect.poll(() => [child, parent].some(isAlive)).toBe(false);
    await expect(context.run({ argv: ['true'] })).rejects.toMatchObject({ code: 'interrupted' });
  });

  test('a derived context ends with its own signal and its reason', async () => {
    const { context } = await testContext();
    const controller = new AbortController();
    const running = context.withSignal(controller.signal).run({ argv: ['sleep', '1000'] });
    controller.abort(targetError('cannot wait: time is up'));
    await expect(running).rejects.toThrow('cannot wait: time is up');
    expect((await context.run({ argv: ['true'] })).exitCode).toBe(0);
  });
});

describe('runJob', () => {
  test('carries errors of the job as they were thrown', async () => {
    const { context, folder } = await testContext();
    const path = join(folder, 'not a database.db');
    await writeFile(path, 'no database at all, but longer than a header'.repeat(30));
    const failed = context.runJob('sqlite', {
      call: 'copyDatabase',
      input: { path, into: join(folder, 'copy'), busyTimeoutMs: 0 },
    });
    await expect(failed).rejects.toBeInstanceOf(BkpError);
    await expect(failed).rejects.toMatchObject({ code: 'target' });
    expect(readdirSync(folder)).not.toContain('copy');
  });

  test('a job that dies is an error', async () => {
    const { context } = await testContext();
    await expect(context.runJob('sqlite', { call: 'nothing like this' })).rejects.toThrow(/is not a function/);
  });
});
