import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { redis } from '../../../src/engines/redis.ts';
import { testContext } from '../../test-context.ts';
import { redisFixture, serverOf, targetOn } from '../redis-fixture.ts';
import { incoming, restore, SNAPSHOT, take, newRepository } from '../workbench.ts';
import { ask, askText } from './ask.ts';
import { digestOf, LARGE, SMALL } from './contents.ts';
import { restoreRedis, takeRedis } from './take-redis.ts';

describe('new', () => {
  test('brings values of 64 MB and many keys', async () => {
    const target = targetOn('redis-7.0');
    await ask(
      target,
      ['SET', 'random', randomBytes(64 * 1024 * 1024)],
      ['SETRANGE', 'zeros', String(64 * 1024 * 1024), 'x'],
      ['DEBUG', 'POPULATE', '20000', 'key', '50'],
    );
    const before = await digestOf(target);
    const { taken, context } = await takeRedis(target);
    const destination = targetOn('redis-7.0');
    await restoreRedis(taken, destination, 'new', context);
    expect(await digestOf(destination)).toBe(before);
  });

  test('refuses a server that has nothing but functions', async () => {
    const target = targetOn('redis-7.0');
    await ask(target, ...SMALL);
    const { taken, context } = await takeRedis(target);
    const destination = targetOn('redis-7.0');
    await ask(destination, [
      'FUNCTION',
      'LOAD',
      "#!lua name=own\nredis.register_function('own', function() return 1 end)",
    ]);
    await expect(restoreRedis(taken, destination, 'new', context)).rejects.toMatchObject({
      code: 'guard',
      message: expect.stringContaining('1 library of functions') as string,
    });
  });

  test('tells keys that have expired meanwhile, and does not fail', async () => {
    const target = targetOn('redis-7.0');
    await ask(target, ...SMALL, ['SELECT', '0'], ['SET', 'short', 'x', 'PX', '1500']);
    const { taken, context } = await takeRedis(target);
    expect(taken.facts).toMatchObject({ keys: { 0: 21 } });
    await expect.poll(() => askText(target, 'EXISTS', 'short')).toBe('0');
    for (const mode of ['new', 'replace'] as const) {
      const destination = targetOn('redis-7.0');
      if (mode === 'replace') await ask(destination, ['SET', 'own', 'x']);
      const outcome = await restoreRedis(taken, destination, mode, context);
      expect(await askText(destination, 'EXISTS', 'short')).toBe('0');
      expect(await digestOf(destination)).toBe(await digestOf(target));
      if (mode === 'new')
        expect(outcome).toMatchObject({
          facts: { keys: { 0: 20 } },
          warnings: ['database 0: 1 of 21 keys have expired since the capture'],
        });
    }
  });

  test('refuses a server with too few databases before it changes anything', async () => {
    const target = targetOn('redis-7.0');
    await ask(target, ...SMALL);
    const { taken, context } = await takeRedis(target);
    const destination = targetOn('redis-7.0', ['--databases', '2']);
    await expect(restoreRedis(taken, destination, 'new', context)).rejects.toMatchObject({
      code: 'target',
      hint: expect.stringContaining('databases') as string,
    });
    expect(await askText(destination, 'DBSIZE')).toBe('0');
  });

  test('refuses a value longer than the server takes before it changes anything', async () => {
    const target = targetOn('redis-7.0');
    await ask(target, ['SET', 'long', randomBytes(2 * 1024 * 1024)]);
    const { taken, context } = await takeRedis(target);
    const destination = targetOn('redis-7.0', ['--proto-max-bulk-len', '1mb']);
    await expect(restoreRedis(taken, destination, 'new', context)).rejects.toMatchObject({
      hint: expect.stringContaining('proto-max-bulk-len') as string,
    });
    expect(await askText(destination, 'DBSIZE')).toBe('0');
  });

  test('takes back what it brought when the server has no room', async () => {
    const target = targetOn('redis-7.0');
    await ask(target, ...LARGE);
    const { taken, context } = await takeRedis(target);
    const destination = targetOn('redis-7.0', ['--maxmemory', '8mb']);
    await expect(restoreRedis(taken, destination, 'new', context)).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining('OOM') as string,
    });
    expect(await askText(destination, 'INFO', 'keyspace')).not.toContain('keys=');
    expect(await askText(destination, 'FUNCTION', 'LIST')).toBe('');
  });

  test('takes back what it brought when its connections are cut', async () => {
    const target = targetOn('redis-7.0');
    await ask(target, ...LARGE);
    const { taken } = await takeRedis(target);
    const destination = targetOn('redis-7.0');
    let cut: Promise<unknown> | undefined;
    const { context } = await testContext({
      emit: (event) => {
        if (event.type === 'progress' && event.subject.startsWith('restoring'))
          cut ??= ask(destination, ['CLIENT', 'KILL', 'TYPE', 'normal']);
      },
    });
    await expect(restoreRedis(taken, destination, 'new', context)).rejects.toMatchObject({ code: 'target' });
    await cut;
    expect(await askText(destination, 'INFO', 'keyspace')).not.toContain('keys=');
    await restoreRedis(taken, destination, 'new', (await testContext()).context);
    expect(await digestOf(destination)).toBe(await digestOf(target));
  });

  test('refuses a replica', async () => {
    const target = targetOn('redis-7.0');
    await ask(target, ...SMALL);
    const { taken, context } = await takeRedis(target);
    const destination = targetOn('redis-7.0');
    await ask(destination, ['REPLICAOF', '127.0.0.1', '1']);
    await expect(restoreRedis(taken, destination, 'new', context)).rejects.toMatchObject({
      message: expect.stringContaining('it is a replica') as string,
    });
  });

  test('does not mix with what a killed restore of another snapshot left', async () => {
    const target = targetOn('redis-7.0');
    await ask(target, ...SMALL);
    const { taken, context } = await takeRedis(target);
    const destination = targetOn('redis-7.0');
    await ask(destination, ['SET', 'bkp:filling', 'another'], ['SET', 'part', 'x']);
    expect(await redis.inspectDestination(destination, context)).toMatchObject({
      state: 'empty',
      description: '1 key, which an interrupted restore of another brought',
    });
    await expect(restoreRedis(taken, destination, 'new', context)).rejects.toMatchObject({ code: 'guard' });
    await restoreRedis(taken, destination, 'replace', context);
    expect(await digestOf(destination)).toBe(await digestOf(target));
  });
});

describe('replace', () => {
  test('takes extra keys, functions and databases away', async () => {
    const target = targetOn('redis-7.0');
    await ask(target, ...SMALL);
    const before = await digestOf(target);
    const { taken, context } = await takeRedis(target);
    await ask(
      target,
      ['FLUSHALL'],
      ['SET', 'junk', 'x'],
      ['SELECT', '7'],
      ['SET', 'junk', 'x'],
      ['FUNCTION', 'FLUSH'],
      ['FUNCTION', 'LOAD', "#!lua name=junk\nredis.register_function('junk', function() return 1 end)"],
    );
    await restoreRedis(taken, target, 'replace', context);
    expect(await digestOf(target)).toBe(before);
    expect(await askText(target, 'INFO', 'replication')).toContain('role:master');
    expect(await askText(target, 'CONFIG', 'GET', 'masterauth')).toBe('masterauth,');
  });

  test.each(['disabled', 'on-empty-db', 'swapdb'])(
    'gives up nothing before all has come, loading %s',
    async (loading) => {
      const target = targetOn('redis-7.0', ['--repl-diskless-load', loading]);
      await ask(target, ...LARGE);
      const { taken } = await takeRedis(target);
      await ask(target, ['FLUSHALL'], ['SET', 'own', 'x']);
      const before = await digestOf(target);
      const controller = new AbortController();
      const { context } = await testContext({
        signal: controller.signal,
        emit: (event) => {
          if (event.type === 'progress' && event.subject.startsWith('sending')) controller.abort();
        },
      });
      await expect(restoreRedis(taken, target, 'replace', context)).rejects.toMatchObject({ code: 'interrupted' });
      expect(await digestOf(target)).toBe(before);
      await restoreRedis(taken, target, 'replace', (await testContext()).context);
      expect(await askText(target, 'EXISTS', 'own')).toBe('0');
    },
  );

  test('keeps the password that the server has for those it follows', async () => {
    const target = targetOn('redis-7.0', ['--masterauth', 'its own', '--masteruser', 'somebody']);
    await ask(target, ...SMALL);
    const { taken, context } = await takeRedis(target);
    await ask(target, ['SET', 'own', 'x']);
    await restoreRedis(taken, target, 'replace', context);
    expect(await askText(target, 'EXISTS', 'own')).toBe('0');
    expect(await askText(target, 'CONFIG', 'GET', 'masterauth')).toBe('masterauth,its own');
  });

  test('is in the append-only files when it is done', async () => {
    const target = targetOn('redis-7.0', ['--appendonly', 'yes']);
    await ask(target, ...SMALL);
    const { taken, context } = await takeRedis(target);
    await ask(target, ['FLUSHALL'], ['SET', 'own', 'x']);
    await restoreRedis(taken, target, 'replace', context);
    await ask(target, ['DEBUG', 'LOADAOF']);
    expect(await askText(target, 'DBSIZE')).toBe('20');
  });

  test('puts back what was there when the new state does not last', async () => {
    const target = targetOn('redis-7.0');
    await ask(target, ...SMALL);
    const { taken } = await takeRedis(target);
    await ask(target, ['FLUSHALL'], ['SET', 'own', 'x'], ['SELECT', '5'], ['SET', 'own', 'y']);
    const before = await digestOf(target);
    const controller = new AbortController();
    const seen: string[] = [];
    const { context } = await testContext({
      signal: controller.signal,
      emit: (event) => {
        if (event.type !== 'progress' || !event.subject.startsWith('sending')) return;
        seen.push(event.subject);
        if (event.bytes === event.totalBytes) controller.abort();
      },
    });
    await expect(restoreRedis(taken, target, 'replace', context)).rejects.toMatchObject({ code: 'interrupted' });
    expect(seen.length).toBeGreaterThan(0);
    expect(await digestOf(target)).toBe(before);
    expect(await askText(target, 'INFO', 'replication')).toContain('role:master');
  });

  test('leaves a server as it was that cannot reach this machine', async () => {
    const target = { ...targetOn('redis-7.0'), reachableAt: '127.0.0.1' };
    await ask(target, ...SMALL);
    const { taken } = await takeRedis(target);
    await ask(target, ['SET', 'own', 'x']);
    const before = await digestOf(target);
    const controller = new AbortController();
    const { context } = await testContext({ signal: controller.signal });
    // An address where nobody is.
    const nowhere = { ...target, reachableAt: '192.0.2.1:6379' };
    const failing = restoreRedis(taken, nowhere, 'replace', context);
    await expect.poll(() => askText(target, 'INFO', 'replication')).toContain('master_host:192.0.2.1');
    controller.abort();
    await expect(failing).rejects.toMatchObject({ code: 'interrupted' });
    expect(await digestOf(target)).toBe(before);
    expect(await askText(target, 'INFO', 'replication')).toContain('role:master');
    await restoreRedis(taken, target, 'replace', (await testContext()).context);
    expect(await askText(target, 'EXISTS', 'own')).toBe('0');
  });

  test('is refused in a cluster, and where replicas follow by TLS only', async () => {
    const plain = targetOn('redis-7.0');
    await ask(plain, ['SET', 'key', 'x']);
    const { taken, context } = await takeRedis(plain);
    const target = targetOn('redis-7.0', ['--cluster-enabled', 'yes']);
    await ask(target, ['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
    await expect.poll(() => askText(target, 'SET', 'own', 'x').catch(String)).toBe('OK');
    expect((await redis.probe(target, context)).warnings).toMatchObject([
      { message: expect.stringContaining('cluster') as string },
    ]);
    await expect(restoreRedis(taken, target, 'replace', context)).rejects.toMatchObject({
      message: expect.stringContaining('cluster') as string,
    });
    await restoreRedis(taken, target, 'merge', context);
    expect(await askText(target, 'GET', 'key')).toBe('x');
  });
});

describe('merge', () => {
  test('overwrites nothing and keeps times to live, groups and functions', async () => {
    const target = targetOn('redis-7.0');
    await ask(target, ...SMALL);
    const before = await digestOf(target);
    const { taken, context } = await takeRedis(target);
    await ask(target, ['DEL', 'stream', 'session'], ['SELECT', '3'], ['FLUSHDB'], ['FUNCTION', 'FLUSH']);
    const outcome = await restoreRedis(taken, target, 'merge', context);
    expect(outcome.restored).toEqual({ 'keys in database 0': 2, 'keys in database 3': 2, libraries: 1 });
    expect(await digestOf(target)).toBe(before);
    await ask(target, ['SET', 'event:13', 'newer', 'PX', '500000']);
    const again = await restoreRedis(taken, target, 'merge', context);
    expect(again.restored).toEqual({});
    expect(await askText(target, 'GET', 'event:13')).toBe('newer');
  });

  test('tells a function that another library has, and undoes unless it may be left out', async () => {
    const target = targetOn('redis-7.0');
    await ask(target, ...SMALL);
    const { taken, context } = await takeRedis(target);
    const destination = targetOn('redis-7.0');
    const other = "#!lua name=other\nredis.register_function('total', function() return 1 end)";
    await ask(destination, ['FUNCTION', 'LOAD', other], ['SET', 'own', 'x']);
    const before = await digestOf(destination);
    await expect(restoreRedis(taken, destination, 'merge', context)).rejects.toMatchObject({ code: 'guard' });
    expect(await digestOf(destination)).toBe(before);
    const request = { destination, mode: 'merge', paths: [], noOwner: false, expectedFacts: null } as const;
    const outcome = await redis.restore(
      { ...request, artifacts: incoming(taken, context), skipConflicts: true, snapshot: SNAPSHOT },
      context,
    );
    expect(outcome.conflicts).toEqual([expect.stringContaining('already exists')]);
    expect(await askText(destination, 'GET', 'event:13')).toBe('thirteen');
  });
});

test('a capture of one server after the other restores into a third', async () => {
  const first = targetOn('redis-7.0');
  await ask(first, ...LARGE);
  const { context, folder } = await testContext();
  const taken = await take(redisFixture, first, await newRepository(folder, context), context);
  await serverOf(first).stop();
  const second = targetOn('redis-7.0');
  await restore(redisFixture, taken, second, 'new', context);
  const again = await takeRedis(second);
  expect(again.taken.facts).toEqual(taken.facts);
});
