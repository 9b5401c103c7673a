import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { elasticsearch } from '../../../src/engines/elasticsearch.ts';
import { connectionOf } from '../../services/connection.ts';
import { ask, askJson, indicesBelow } from './ask.ts';
import { ORIGIN, ownSnapshots, SERVICE } from './own-snapshots.ts';

const { repo = '' } = connectionOf(SERVICE);

test('a repository that is only named must be registered', async () => {
  const { byServer, context } = await ownSnapshots();
  const target = { ...byServer, snapshotRepository: { name: 'nowhere' } };
  const missing = 'cannot use snapshot repository nowhere: the server has none with this name';
  expect((await elasticsearch.probe(target, context)).problems).toMatchObject([{ message: missing }]);
  await expect(elasticsearch.capture(target, context, ORIGIN)).rejects.toMatchObject({ message: missing });
});

test('a repository that is described is registered by a capture, not by a look', async () => {
  const { url, prefix, byServer, context } = await ownSnapshots();
  const name = `${prefix}new`;
  onTestFinished(async () => void (await ask(url, 'DELETE', `_snapshot/${name}`)));
  const target = {
    ...byServer,
    snapshotRepository: { name, type: 'fs', settings: { location: join(repo, name) } },
  } as const;
  const look = await elasticsearch.probe(target, context);
  expect(look).toMatchObject({
    problems: [],
    warnings: [{ message: expect.stringContaining('not registered') as unknown }],
  });
  await expect(askJson(url, 'GET', `_snapshot/${name}`)).rejects.toThrow('404');
  await (await elasticsearch.capture(target, context, ORIGIN)).close();
  expect(await elasticsearch.probe(target, context)).toMatchObject({ problems: [], warnings: [] });
});

test('a repository that is registered otherwise is refused and stays as it is', async () => {
  const { url, byServer, context, left } = await ownSnapshots();
  const { name = '' } = byServer.snapshotRepository ?? {};
  const before = await askJson(url, 'GET', `_snapshot/${name}`);
  const target = {
    ...byServer,
    snapshotRepository: { name, type: 'fs', settings: { location: join(repo, 'x') } },
  } as const;
  const other = `cannot use snapshot repository ${name}: its setting location is another`;
  expect((await elasticsearch.probe(target, context)).problems).toMatchObject([{ message: other }]);
  await expect(elasticsearch.capture(target, context, ORIGIN)).rejects.toMatchObject({ message: other });
  expect(await askJson(url, 'GET', `_snapshot/${name}`)).toEqual(before);
  expect(await left()).toEqual([]);
});

test('a snapshot is found where its place has another name, and missed where it is not registered', async () => {
  const { url, prefix, byServer, take, restore } = await ownSnapshots();
  const { name = '' } = byServer.snapshotRepository ?? {};
  const taken = await take(byServer);
  await ask(url, 'DELETE', `_snapshot/${name}`);
  const change = { ...byServer, rename: { from: `${prefix}*`, to: `new${prefix}*` } };
  await expect(restore(taken, 'new', change)).rejects.toMatchObject({
    code: 'guard',
    hint: `it was in repository ${name}`,
  });
  expect(await indicesBelow(url, `new${prefix}`)).toEqual([]);
  const other = `${prefix}other`;
  onTestFinished(async () => void (await ask(url, 'DELETE', `_snapshot/${other}`)));
  const settings = { location: join(repo, name), readonly: true };
  await askJson(url, 'PUT', `_snapshot/${other}`, { type: 'fs', settings });
  await restore(taken, 'new', change);
  expect(await askJson(url, 'GET', `new${prefix}a/_count`)).toMatchObject({ count: 2 });
});

test('only what is ours, and the same, is released', async () => {
  const { url, byServer, context, left } = await ownSnapshots();
  const capture = await elasticsearch.capture(byServer, context, ORIGIN);
  await capture.close();
  const [reference] = capture.references ?? [];
  if (reference === undefined) throw new Error('no reference');
  const keeper = elasticsearch.references;
  await expect(keeper?.release(byServer, { ...reference, id: 'another' }, context)).rejects.toMatchObject({
    code: 'guard',
  });
  const elsewhere = { ...reference, store: 'another-cluster/x' };
  await expect(keeper?.release(byServer, elsewhere, context)).rejects.toMatchObject({ code: 'guard' });
  const { name = '' } = byServer.snapshotRepository ?? {};
  await askJson(url, 'PUT', `_snapshot/${name}/by-hand?wait_for_completion=true`, { indices: '-*' });
  expect((await left()).toSorted()).toEqual([reference.name, 'by-hand']);
  await keeper?.release(byServer, reference, context);
  await keeper?.release(byServer, reference, context);
  expect(await left()).toEqual(['by-hand']);
});

test('a closed index is refused by its name where the server leaves it out in silence', async () => {
  const { url, prefix, byServer, context, left } = await ownSnapshots();
  await askJson(url, 'POST', `${prefix}a/_close`);
  const closed = `index ${prefix}a is closed, and nobody can read it`;
  expect((await elasticsearch.probe(byServer, context)).problems).toMatchObject([{ message: closed }]);
  await expect(elasticsearch.capture(byServer, context, ORIGIN)).rejects.toMatchObject({
    message: `cannot capture: ${closed}`,
  });
  expect(await left()).toEqual([]);
});
