import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { elasticsearch } from '../../../src/engines/elasticsearch.ts';
import { readAnswer } from '../../../src/engines/elasticsearch/capture/pages.ts';
import { reasonOfBody } from '../../../src/engines/elasticsearch/server/explain-error.ts';
import { batchesOf, documentsOf } from '../../../src/engines/elasticsearch/restore/bulk.ts';
import { testContext } from '../../test-context.ts';
import { banner, standIn } from './stand-in.ts';

const answerWith = (hits: readonly string[]): Buffer =>
  Buffer.from(
    `{"took":1,"timed_out":false,"_shards":{"failed":0,"total":1},"hits":{"total":{"value":9},"max_score":null,"hits":[${hits.join(',')}]}}`,
  );

describe('an answer', () => {
  test('gives every source as it stands there', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.object())), (documents) => {
        const sources = documents.map(([, source]) => JSON.stringify(source));
        const hits = documents.map(
          ([id], n) => `{"_index":"a","_id":${JSON.stringify(id)},"_score":null,"_source":${sources[n]},"sort":[${n}]}`,
        );
        const { lines, documents: count, last } = readAnswer(answerWith(hits), 'a', false);
        const expected = documents.map(([id], n) => `{"index":{"_id":${JSON.stringify(id)}}}\n${sources[n]}\n`);
        expect(lines.toString()).toBe(expected.join(''));
        expect(count).toBe(documents.length);
        expect(last).toBe(documents.length === 0 ? undefined : `[${documents.length - 1}]`);
      }),
    );
  });

  test('that is cut anywhere is refused', () => {
    const whole = answerWith(['{"_id":"1","_source":{"a":"}"},"sort":[1]}']);
    for (let end = 0; end < whole.length; end += 1)
      expect(() => readAnswer(whole.subarray(0, end), 'a', false), `${end}`).toThrow('cannot read');
  });

  test.each([
    ['without a source', '{"_id":"1","sort":[1]}', 'document "1" has no _source'],
    ['with more than a source', '{"_id":"1","_routing":"r","_version":3,"_source":{"_source":1},"sort":[1]}', null],
  ])('%s', (_name, hit, refused) => {
    if (refused !== null) expect(() => readAnswer(answerWith([hit]), 'a', true)).toThrow(refused);
    else
      expect(readAnswer(answerWith([hit]), 'a', true).lines.toString()).toBe(
        '{"index":{"_id":"1","routing":"r","version":3,"version_type":"external"}}\n{"_source":1}\n',
      );
  });

  test('of a search that took too long is refused', () => {
    const late = Buffer.from(answerWith([]).toString().replace('"timed_out":false', '"timed_out":true'));
    expect(() => readAnswer(late, 'a', false)).toThrow('took too long');
  });

  test('in which a shard failed fails the capture, though it says 200', async () => {
    const { url, asked } = await standIn(({ path, method }) => {
      if (path === '/') return { body: banner('8.14.1') };
      if (path.startsWith('/_resolve')) return { body: { indices: [{ name: 'a', attributes: ['open'] }] } };
      if (path.startsWith('/_search'))
        return { body: { timed_out: false, _shards: { total: 1, failed: 1 }, hits: { total: { value: 0 } } } };
      if (path.includes('_pit')) return { body: method === 'DELETE' ? {} : { id: 'held' } };
      return { body: { a: { aliases: {}, mappings: {}, settings: { 'index.number_of_shards': '1' } } } };
    });
    const { context } = await testContext();
    const failed = elasticsearch.capture({ type: 'elasticsearch', url, globals: false }, context);
    await expect(failed).rejects.toMatchObject({
      code: 'integrity',
      message: 'cannot count the documents of index a: not every shard answered',
    });
    expect(asked.at(-1)).toMatchObject({ method: 'DELETE', path: '/_pit', body: '{"id":"held"}' });
  });
});

describe('documents', () => {
  const documents = fc.array(
    fc.tuple(fc.nat(9), fc.nat(30)).map(([id, size]) => `{"index":{"_id":"${id}"}}\n${'x'.repeat(size)}\n`),
  );

  test('are sent whole, however they arrive', async () => {
    await fc.assert(
      fc.asyncProperty(documents, fc.integer({ min: 1, max: 50 }), async (all, size) => {
        const bytes = Buffer.from(all.join(''));
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
          bytes.subarray(n * size, (n + 1) * size),
        );
        const batches: Buffer[] = [];
        for await (const batch of batchesOf(Readable.from(chunks))) batches.push(batch);
        expect(batches.flatMap((batch) => documentsOf(batch).map(String))).toEqual(all);
      }),
    );
  });

  test('are sent in batches of some megabytes, one that is larger alone', async () => {
    const line = (bytes: number): string => `{"index":{}}\n${'x'.repeat(bytes)}\n`;
    const all = [...Array.from({ length: 300 }, () => line(50_000)), line(20_000_000), line(1)].join('');
    const sizes: number[] = [];
    for await (const batch of batchesOf(Readable.from([Buffer.from(all)].flatMap(split)))) sizes.push(batch.length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(all.length);
    expect(Math.max(...sizes.slice(0, 3))).toBeLessThan(4_400_000);
  });

  test('that end within one are refused', async () => {
    const reading = batchesOf(Readable.from([Buffer.from('{"index":{}}\n')]));
    await expect(reading.next()).rejects.toMatchObject({ code: 'integrity' });
  });
});

const split = (bytes: Buffer): readonly Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, n) => bytes.subarray(n * 65_536, (n + 1) * 65_536));

test.each([
  [
    { error: { reason: "failed to parse field [a] in document with id '1'. Preview of field's value: 'secret'" } },
    'secret',
  ],
  [{ error: { reason: 'failed', caused_by: { reason: 'For input string: "secret"' } } }, 'secret'],
])('a reason shows no value of a document', (body, secret) => {
  const reason = reasonOfBody(Buffer.from(JSON.stringify({ ...body, status: 400 })), 400);
  expect(reason).toContain('failed');
  expect(reason).not.toContain(secret);
});
