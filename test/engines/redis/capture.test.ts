import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { redis } from '../../../src/engines/redis.ts';
import { testContext } from '../../test-context.ts';
import { serverOf, targetOn } from '../redis-fixture.ts';
import type { Taken } from '../workbench.ts';
import { ask, askText } from './ask.ts';
import { SMALL } from './contents.ts';
import { restoreRedis, takeRedis } from './take-redis.ts';

const rawOf = ({ repository, artifacts }: Taken, index: number = 0): Buffer =>
  zstdDecompressSync(readFileSync(repository.localPath(artifacts[index]?.key ?? '') ?? ''));

describe('a capture', () => {
  test.each(['yes', 'no'])('is the dump and not a byte more, sent from memory: %s', async (diskless) => {
    const target = targetOn('redis-7.0', ['--repl-diskless-sync', diskless]);
    await ask(target, ...SMALL);
    const { taken, context } = await takeRedis(target);
    const raw = rawOf(taken);
    expect(raw.at(-9)).toBe(255);
    expect(taken.artifacts[0]?.rawBytes).toBe(raw.length);
    const path = join(context.workDir, 'dump.rdb');
    writeFileSync(path, raw);
    expect(execFileSync('redis-check-rdb', [path], { encoding: 'utf8' })).toContain('RDB looks OK');
  });

  test('counts keys, those that expire, types and libraries', async () => {
    const target = targetOn('redis-7.0');
    await ask(target, ...SMALL);
    const { taken } = await takeRedis(target);
    expect(taken.facts).toEqual({
      keys: { 0: 20, 3: 2 },
      expiring: { 0: 1, 3: 1 },
      types: { hash: 2, list: 2, set: 3, stream: 1, string: 11, zset: 3 },
      libraries: 1,
    });
    expect(await askText(target, 'DBSIZE')).toBe('20');
  });

  test('is whole while applications write', async () => {
    const target = targetOn('redis-7.0');
    await ask(target, ['DEBUG', 'POPULATE', '50000', 'key', '100']);
    let isOver = false;
    const writing = (async () => {
      for (let round = 0; !isOver; round += 1)
        await ask(target, ...Array.from({ length: 200 }, (_, index) => ['SET', `new ${round} ${index}`, 'x']));
    })();
    const { taken, context } = await takeRedis(target);
    isOver = true;
    await writing;
    const destination = targetOn('redis-7.0');
    const { facts } = await restoreRedis(taken, destination, 'new', context);
    expect(facts).toEqual(taken.facts);
  });

  test('needs no more rights than it says', async () => {
    const target = targetOn('redis-7.0');
    await ask(
      target,
      ...SMALL,
      ['ACL', 'SETUSER', 'bkp', 'on', '>secret of bkp', '+psync', '+replconf', '+ping', '+info'],
      ['ACL', 'SETUSER', 'weak', 'on', '>secret of weak', '+@read', '+info', '+ping'],
    );
    const strong = { ...target, user: 'bkp', password: 'secret of bkp' };
    const { context } = await testContext();
    expect(await redis.probe(strong, context)).toMatchObject({ problems: [], versions: { server: '7.0.15' } });
    expect((await takeRedis(strong)).taken.facts).toMatchObject({ keys: { 0: 20, 3: 2 } });

    const weak = { ...target, user: 'weak', password: 'secret of weak' };
    const { problems } = await redis.probe(weak, context);
    expect(problems).toEqual([
      { message: expect.stringContaining('NOPERM') as string, hint: expect.stringContaining('+psync') as string },
    ]);
    await expect(redis.capture(weak, context)).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining('NOPERM') as string,
    });
  });

  test('tells a wrong password without telling it', async () => {
    const target = { ...targetOn('redis-7.0'), password: 'not the password' };
    const { context } = await testContext();
    const failed = await redis.capture(target, context).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'target', hint: 'correct `user` and `password`' });
    expect(String(failed)).not.toContain(target.password);
    expect((await redis.probe(target, context)).problems).toHaveLength(1);
  });

  test('puts no password on a command line, and starts nothing', async () => {
    const target = targetOn('redis-7.0');
    const { context } = await testContext();
    const started: string[] = [];
    const watched = {
      ...context,
      start: (...given: Parameters<typeof context.start>) => {
        started.push(given[0].argv.join(' '));
        return context.start(...given);
      },
    };
    const capture = await redis.capture(target, watched);
    await capture.close();
    expect(started).toEqual([]);
  });

  test('fails when the server lets go half-way', async () => {
    const target = targetOn('redis-7.0', ['--rdb-key-save-delay', '200']);
    await ask(target, ['DEBUG', 'POPULATE', '100000', 'key', '100']);
    const { context } = await testContext();
    const capture = await redis.capture(target, context);
    const [artifact] = capture.artifacts;
    if (artifact?.source.kind !== 'stream') throw new Error('no stream');
    const stream = artifact.source.open();
    const reading = (async () => {
      for await (const chunk of stream)
        if (chunk instanceof Buffer) await askText(target, 'CLIENT', 'KILL', 'TYPE', 'replica');
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'target',
      message: expect.stringContaining('whole') as string,
    });
    await capture.close();
  });

  test('of a server without checksums says that there is none', async () => {
    const target = targetOn('redis-7.0', ['--rdbchecksum', 'no']);
    await ask(target, ...SMALL);
    const { taken, context } = await takeRedis(target);
    expect(taken.facts).toMatchObject({ checksum: 'none' });
    expect(rawOf(taken).subarray(-8)).toEqual(Buffer.alloc(8));
    await restoreRedis(taken, targetOn('redis-7.0'), 'new', context);
  });

  test('of a replica that lost its primary is refused', async () => {
    const target = targetOn('redis-7.0');
    await ask(target, ['REPLICAOF', '127.0.0.1', '1']);
    const { context } = await testContext();
    const refused = { message: expect.stringContaining('NOMASTERLINK') as string };
    expect((await redis.probe(target, context)).problems).toMatchObject([refused]);
    await expect(redis.capture(target, context)).rejects.toMatchObject(refused);
  });

  test('leaves no replica behind and writes nothing beside the server', async () => {
    const target = targetOn('redis-7.0');
    await ask(target, ...SMALL);
    await takeRedis(target);
    await expect.poll(() => askText(target, 'INFO', 'replication')).toContain('connected_slaves:0');
    expect(readdirSync(serverOf(target).folder)).toEqual(['log']);
  });
});

test('users are captured on request and made where they are missing', async () => {
  const target = { ...targetOn('redis-7.0'), users: true };
  await ask(
    target,
    ['SET', 'key', 'x'],
    ['ACL', 'SETUSER', 'alice', 'on', '>her secret', '~cached:*', '+@read', '(+set ~own:*)'],
    ['ACL', 'SETUSER', 'bob', 'on', '>his secret', '+ping'],
  );
  const { taken, context } = await takeRedis(target);
  expect(taken.facts).toMatchObject({ users: 3 });
  expect(String(rawOf(taken, 1))).not.toContain('her secret');
  const destination = targetOn('redis-7.0');
  await ask(destination, ['ACL', 'SETUSER', 'bob', 'on', '>another', '+get']);
  const outcome = await restoreRedis(taken, destination, 'new', context);
  expect(outcome).toMatchObject({ facts: taken.facts, restored: { users: 1 } });
  expect(outcome.warnings).toEqual([
    'user bob has other rights or passwords there and keeps them',
    expect.stringContaining('CONFIG REWRITE'),
  ]);
  const alice = async (of: typeof target): Promise<string | undefined> =>
    ((await ask(of, ['ACL', 'LIST']))[0] as readonly Buffer[])
      .map(String)
      .find((line) => line.startsWith('user alice'));
  expect(await alice({ ...destination, users: true })).toBe(await alice(target));
});
