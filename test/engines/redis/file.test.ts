import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { TargetOf } from '../../../src/engines/engine.ts';
import { redis } from '../../../src/engines/redis.ts';
import { connectionOf } from '../../services/connection.ts';
import { giveToServer } from '../../services/server-process.ts';
import { startRedis } from '../../services/redis.ts';
import { testContext } from '../../test-context.ts';
import { serverOf, targetOn } from '../redis-fixture.ts';
import { SNAPSHOT } from '../workbench.ts';
import { ask, askText } from './ask.ts';
import { digestOf, SMALL } from './contents.ts';
import { restoreRedis, takeRedis } from './take-redis.ts';

const KEPT = ['--shutdown-on-sigterm', 'nosave'];

/** The data folder of a server that was stopped and stays. */
async function stopped(settings: readonly string[]): Promise<TargetOf<'redis'>> {
  const target = targetOn('redis-7.0', [...KEPT, ...settings]);
  await ask(target, ['SET', 'old', 'state'], ['SAVE']);
  const { folder, process } = serverOf(target);
  await process.stop();
  return { ...target, method: 'file', directory: folder };
}

/** A server that reads what lies in a folder. */
function startIn({ directory = '' }: TargetOf<'redis'>, settings: readonly string[]): TargetOf<'redis'> {
  const { port, password, process } = startRedis(
    connectionOf('redis-7.0')['program'] ?? '',
    [...KEPT, ...settings],
    directory,
  );
  onTestFinished(process.stop);
  return { type: 'redis', host: '127.0.0.1', port, password };
}

test.each([[[]], [['--appendonly', 'yes']], [['--appendonly', 'yes', '--appendfilename', 'my.aof']]])(
  'replace places what a server with %j starts from',
  async (settings) => {
    const source = targetOn('redis-7.0');
    await ask(source, ...SMALL);
    const { taken, context } = await takeRedis(source);
    const target = await stopped(settings);
    await expect(restoreRedis(taken, target, 'new', context)).rejects.toMatchObject({ code: 'guard' });
    expect(await redis.inspectDestination(target, context)).toMatchObject({ state: 'occupied', problems: [] });
    const outcome = await restoreRedis(taken, target, 'replace', context);
    expect(outcome).toMatchObject({ facts: taken.facts, conflicts: [] });
    expect(outcome.warnings[0]).toContain('start the server');
    expect(readdirSync(target.directory ?? '').filter((name) => name.includes('bkp-new'))).toEqual([]);

    const started = startIn(target, settings);
    expect(await digestOf(started)).toBe(await digestOf(source));
    await ask(started, ['SET', 'later', 'x']);
    await serverOf(source).stop();

    for (const old of outcome.keptOld) {
      expect(old.reference).toContain(SNAPSHOT);
      expect(await redis.setAsideExists(old, context)).toBe(true);
      await redis.removeSetAside(old, context);
      expect(existsSync(old.reference)).toBe(false);
    }
    expect(outcome.keptOld).toHaveLength(settings.length === 0 ? 1 : 2);
  },
);

test('a server that runs is told to stop first', async () => {
  const source = targetOn('redis-7.0');
  await ask(source, ...SMALL);
  const { taken, context } = await takeRedis(source);
  const target = { ...source, method: 'file', directory: serverOf(source).folder } as const;
  await expect(restoreRedis(taken, target, 'replace', context)).rejects.toMatchObject({
    code: 'guard',
    hint: expect.stringContaining('SHUTDOWN NOSAVE') as string,
  });
  expect(await redis.inspectDestination(target, context)).toMatchObject({ state: 'unsuitable' });
  expect(readdirSync(target.directory)).toEqual(['log']);
});

test('a new server with append-only files gets them, else it is told what to do', async () => {
  const source = targetOn('redis-7.0');
  await ask(source, ...SMALL);
  const { taken, context } = await takeRedis(source);
  const { folder } = await testContext();
  for (const appendOnly of [true, false]) {
    const directory = join(folder, `data-${appendOnly}`);
    mkdirSync(directory);
    giveToServer(folder);
    giveToServer(directory);
    const target: TargetOf<'redis'> = {
      type: 'redis',
      host: '127.0.0.1',
      port: 1,
      method: 'file',
      directory,
      appendOnly,
    };
    const { warnings } = await restoreRedis(taken, target, 'new', context);
    if (!appendOnly) expect(warnings[0]).toContain('CONFIG SET appendonly yes');
    const started = startIn(target, ['--appendonly', appendOnly ? 'yes' : 'no']);
    expect(await askText(started, 'DBSIZE')).toBe('20');
    if (!appendOnly) {
      // The steps that are told, as a person takes them.
      await ask(started, ['CONFIG', 'SET', 'appendonly', 'yes']);
      await expect.poll(() => askText(started, 'INFO', 'persistence')).toContain('aof_rewrite_in_progress:0');
      await ask(started, ['DEBUG', 'LOADAOF']);
      expect(await askText(started, 'DBSIZE')).toBe('20');
    }
  }
});

test('merge is refused, a damaged dump too, and a killed exchange is undone', async () => {
  const source = targetOn('redis-7.0');
  await ask(source, ...SMALL);
  const { taken, context } = await takeRedis(source);
  const target = await stopped([]);
  const { directory = '' } = target;
  await expect(restoreRedis(taken, target, 'merge', context)).rejects.toMatchObject({ code: 'usage' });
  const before = readdirSync(directory);
  const wrong = { ...taken, facts: { keys: { 0: 1 } } };
  await expect(restoreRedis(wrong, target, 'replace', context)).rejects.toMatchObject({ code: 'integrity' });
  expect(readdirSync(directory)).toEqual(before);
  // As a kill leaves it: the old dump aside, the new one not yet in its place.
  renameSync(join(directory, 'dump.rdb'), join(directory, `dump.rdb.bkp-old-${SNAPSHOT}`));
  writeFileSync(join(directory, `dump.rdb.bkp-new-${SNAPSHOT}`), 'half');
  await expect(restoreRedis(taken, target, 'new', context)).rejects.toMatchObject({ code: 'guard' });
  expect(readdirSync(directory)).toEqual(before);
});

test('only its own names are removed', async () => {
  const { context } = await testContext();
  for (const reference of ['/var/lib/redis/dump.rdb', 'x.bkp-old-20261119T020000Z-k3x9q2aa', '/x.bkp-old-1'])
    await expect(redis.removeSetAside({ type: 'redis', reference }, context)).rejects.toMatchObject({ code: 'target' });
});
