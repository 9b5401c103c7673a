import { expect, test } from 'vitest';
import { ask, askJson, bulk, indicesBelow } from './ask.ts';
import { ownStream } from './own-streams.ts';
import { proxyTo } from './proxy.ts';

const refused = { status: 400, body: '{"error":"not today","status":400}' };

test('a stream that cannot be put into place is gone, and the error says where its documents are', async () => {
  const { url, prefix, stream, only: alone, add, contents, take, restore } = await ownStream();
  const only = { ...alone, indices: [stream, `${prefix}a`] };
  const taken = await take(only);
  await add('4', '4');
  await bulk(url, `${prefix}a`, ['{"index":{"_id":"later"}}\n{}']);
  const before = await contents(stream);
  const proxy = await proxyTo(url, async ({ path, body }, send) =>
    path.includes('/_restore') && body.includes(`"indices":["${stream}"]`) ? refused : send(),
  );
  const failed = (await restore(taken, 'replace', { ...only, url: proxy }).catch((error: unknown) => error)) as {
    readonly message: string;
    readonly hint: string;
  };
  expect(failed.message).toMatch(/not today; data stream \S+ is gone$/);
  const old = [...failed.hint.matchAll(/bkp_old_[^\s,;]+/g)].map(([name]) => name);
  expect(old).toHaveLength(2);
  const kept = await Promise.all(old.map((name) => contents(name)));
  expect(kept.flat()).toEqual(before);
  // The index had taken its place before, and gave it back.
  expect(await askJson(url, 'GET', `${prefix}a/_count`)).toMatchObject({ count: 3 });
  await expect(restore(taken, 'new', only)).rejects.toMatchObject({ code: 'guard' });
  await restore(taken, 'replace', only);
  expect(await askJson(url, 'GET', `${prefix}a/_count`)).toMatchObject({ count: 2 });
  expect(await contents(stream)).toEqual(before.filter((line) => !line.startsWith('02 4')));
});

test('a stream that cannot be set aside stays, and takes writes', async () => {
  const { url, stream, only, add, contents, take, restore } = await ownStream();
  const taken = await take(only);
  let clones = 0;
  const proxy = await proxyTo(url, async ({ path }, send) => {
    if (!path.includes('/_clone/')) return send();
    clones += 1;
    return clones === 2 ? refused : send();
  });
  await expect(restore(taken, 'replace', { ...only, url: proxy })).rejects.toMatchObject({
    message: expect.stringContaining('not today') as unknown,
  });
  await add('4', '4');
  expect((await contents(stream)).map((line) => line.split(' ')[1])).toEqual(['1', '2', '3', '4']);
  expect(await indicesBelow(url, `bkp_old_*${stream}`)).toEqual([]);
  expect(await indicesBelow(url, `bkp_new_*${stream}`)).toEqual([]);
});

test('what a merge added to a stream is taken away again when it fails', async () => {
  const { url, stream, only, contents, take, restore, parts } = await ownStream();
  const taken = await take(only);
  const [first = ''] = (await parts(stream)) ?? [];
  await ask(url, 'DELETE', `${first}/_doc/1?refresh=true`);
  const before = await contents(stream);
  let added = '';
  const proxy = await proxyTo(url, async ({ path }, send) => {
    const isAfter = added !== '' && path === `/${stream}/_refresh`;
    const answer = await send();
    if (path.startsWith(`/${stream}/_bulk`)) added += answer.body;
    return isAfter ? refused : answer;
  });
  await expect(restore(taken, 'merge', { ...only, url: proxy })).rejects.toMatchObject({
    message: expect.stringContaining('not today') as unknown,
  });
  expect(added).toContain('"status":201');
  expect(await contents(stream)).toEqual(before);
});

test('a stream that rolled over while the server took its snapshot comes back as the server has it', async () => {
  const { url, stream, only, contents, take, restore } = await ownStream();
  const proxy = await proxyTo(url, async ({ method, path }, send) => {
    if (method === 'PUT' && path.startsWith('/_snapshot/')) await askJson(url, 'POST', `${stream}/_rollover`);
    return send();
  });
  const taken = await take({ ...only, url: proxy });
  expect(taken.facts).toMatchObject({ documents: { [stream]: 3 }, dataStreams: { [stream]: 3 } });
  const before = await contents(stream);
  await ask(url, 'DELETE', `_data_stream/${stream}`);
  await restore(taken, 'new', only);
  expect(await contents(stream)).toEqual(before);
});

test('a stream whose documents the template would refuse now is not replaced from an export', async () => {
  const { url, prefix, stream, only, contents, take, restore, parts } = await ownStream(undefined, 'export');
  const taken = await take(only);
  const [before, names] = [await contents(stream), await parts(stream)];
  const template = { mappings: { properties: { n: { type: 'boolean' } } } };
  await askJson(url, 'PUT', `_component_template/${stream}`, { template });
  await expect(restore(taken, 'replace', only)).rejects.toMatchObject({
    code: 'integrity',
    message: expect.stringMatching(/^cannot restore document "[12]" of index \.ds-\S+-000001: /) as unknown,
  });
  expect([await contents(stream), await parts(stream)]).toEqual([before, names]);
  expect(await indicesBelow(url, `bkp_*${prefix}`)).toEqual([]);
});

test('a stream is made from an export only where a template makes such streams', async () => {
  const { url, prefix, stream, only, take, restore, parts } = await ownStream(undefined, 'export');
  const taken = await take(only);
  const to = `${prefix}elsewhere`;
  const failed = restore(taken, 'new', { ...only, rename: { from: stream, to } });
  await expect(failed).rejects.toMatchObject({
    code: 'target',
    message: `cannot restore data stream ${to}: no index template of this server makes streams of that name`,
  });
  expect(await parts(to)).toBe(null);
  expect(await indicesBelow(url, to)).toEqual([]);
});

test.each([
  ['did not do', false],
  ['did', true],
])('a deletion of which nobody hears, and which the server %s, loses nothing', async (_name, isDone) => {
  const { url, stream, only, contents, add, take, restore } = await ownStream();
  const taken = await take(only);
  const before = await contents(stream);
  const proxy = await proxyTo(url, async ({ method, path }, send) => {
    if (method !== 'DELETE' || path !== `/_data_stream/${stream}`) return send();
    if (isDone) await send();
    return refused;
  });
  const failed = (await restore(taken, 'replace', { ...only, url: proxy }).catch((error: unknown) => error)) as {
    readonly message: string;
    readonly hint?: string;
  };
  expect(failed.message).toContain('not today');
  if (!isDone) {
    await add('4', '4');
    expect(await contents(stream)).toEqual([...before, expect.stringMatching(/^03 4/)]);
    return;
  }
  const old = [...(failed.hint ?? '').matchAll(/bkp_old_[^\s,;]+/g)].map(([name]) => name);
  expect((await Promise.all(old.map((name) => contents(name)))).flat()).toEqual(before);
});
