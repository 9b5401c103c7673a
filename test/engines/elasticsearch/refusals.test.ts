import { expect, test } from 'vitest';
import { elasticsearch } from '../../../src/engines/elasticsearch.ts';
import { ask, askJson, bulk } from './ask.ts';
import { ownIndices } from './own-indices.ts';

const SERVICE = 'opensearch-2.19.6';

test('a closed index is refused by its name, in a look and in a capture', async () => {
  const { url, prefix, target, context, take } = await ownIndices(SERVICE);
  await bulk(url, `${prefix}open`, ['{"index":{"_id":"1"}}\n{}']);
  await bulk(url, `${prefix}shut`, ['{"index":{"_id":"1"}}\n{}']);
  await ask(url, 'POST', `${prefix}shut/_close`);
  const message = `index ${prefix}shut is closed, and nobody can read it`;
  expect((await elasticsearch.probe(target, context)).problems).toMatchObject([{ message }]);
  await expect(take()).rejects.toMatchObject({
    code: 'target',
    message: `cannot capture: ${message}`,
    hint: expect.stringContaining('excludeIndices') as unknown,
  });
  expect((await take({ excludeIndices: ['*shut'] })).facts).toMatchObject({ documents: { [`${prefix}open`]: 1 } });
});

test('an index without _source is refused by its name; one with a part of it is told', async () => {
  const { url, prefix, target, context, take } = await ownIndices(SERVICE);
  await askJson(url, 'PUT', `${prefix}none`, { mappings: { _source: { enabled: false } } });
  await askJson(url, 'PUT', `${prefix}part`, { mappings: { _source: { excludes: ['secret'] } } });
  await expect(take()).rejects.toMatchObject({
    code: 'target',
    message: expect.stringContaining(`index ${prefix}none keeps no _source`) as unknown,
  });
  const { problems, warnings } = await elasticsearch.probe({ ...target, excludeIndices: ['*none'] }, context);
  expect(problems).toEqual([]);
  expect(warnings).toMatchObject([{ message: expect.stringContaining('leaves fields out') as unknown }]);
});

test.each([
  ['a name that nothing has', 'nothing', 'there is no index'],
  ['a pattern that means nothing', 'nothing*', 'no index is meant by'],
  ['an alias', 'alias', 'is an alias'],
])('%s fails the capture', async (_name, rest, reason) => {
  const { url, prefix, take } = await ownIndices(SERVICE);
  await askJson(url, 'PUT', `${prefix}there`, { aliases: { [`${prefix}alias`]: {} } });
  const failed = take({ indices: [`${prefix}there`, `${prefix}${rest}`] });
  await expect(failed).rejects.toMatchObject({ code: 'target', message: expect.stringContaining(reason) as unknown });
});

test('hidden indices come by their name, or where they are asked for', async () => {
  const { url, prefix, take } = await ownIndices(SERVICE);
  await askJson(url, 'PUT', `${prefix}seen`, {});
  await askJson(url, 'PUT', `${prefix}unseen`, { settings: { 'index.hidden': true } });
  const names = async (change: Parameters<typeof take>[0]): Promise<readonly string[]> =>
    Object.keys((await take(change)).facts['documents'] as object);
  expect(await names({})).toEqual([`${prefix}seen`]);
  expect(await names({ hidden: true })).toEqual([`${prefix}seen`, `${prefix}unseen`]);
  expect(await names({ indices: [`${prefix}unseen`] })).toEqual([`${prefix}unseen`]);
});
