import { describe, expect, test } from 'vitest';
import { elasticsearch } from '../../../src/engines/elasticsearch.ts';
import { startedServices } from '../../services/connection.ts';
import { ask, bulk } from '../elasticsearch/ask.ts';
import type { Target } from '../elasticsearch/own-indices.ts';
import { ORIGIN } from '../elasticsearch/own-snapshots.ts';
import { LEAST, roleOf, withoutEach } from './roles.ts';
import { securedIndices } from './secured-indices.ts';

const METHODS = ['export', 'snapshot'] as const;

/** What a capture goes without: only looks, refreshes and removals ask for it. */
const NOT_TO_CAPTURE = {
  export: ['monitor', 'maintenance'],
  snapshot: ['cluster:admin/snapshot/delete'],
} as const satisfies Record<string, readonly string[]>;

const byServer = (method: (typeof METHODS)[number], { snapshotRepository }: Target): Partial<Target> =>
  snapshotRepository === undefined ? {} : { method, snapshotRepository };

describe.each(startedServices('secured-elasticsearch'))('%s', (service) => {
  test.each(METHODS)('what the README asks for is enough for a capture (%s)', async (method) => {
    const { prefix, context, asUser, may, take } = await securedIndices(service);
    await may(roleOf(LEAST[method].capture, prefix));
    const target = { ...asUser(method), globals: method === 'export' };
    expect(await elasticsearch.probe(target, context)).toMatchObject({ problems: [] });
    const { facts } = await take(target);
    expect(facts).toMatchObject({ documents: { [`${prefix}a`]: 2, [`${prefix}b`]: 2 } });
  });

  test.each(METHODS)('and without any of it a look and a capture name what lacks (%s)', async (method) => {
    const { prefix, context, asUser, may } = await securedIndices(service);
    for (const [lacking, rest] of withoutEach(LEAST[method].capture)) {
      await may(roleOf(rest, prefix));
      const target = { ...asUser(method), globals: method === 'export' };
      const { problems } = await elasticsearch.probe(target, context);
      const said = problems.map(({ message, hint }) => `${message} ${hint}`).join();
      // An export does without, and tells what may lack in it.
      if (method === 'export' && lacking === 'maintenance') expect(said).toBe('');
      else expect(said, lacking).toMatch(new RegExp(`(?:lacks|privilege) (?:.*; )?${lacking} on`));
      if (NOT_TO_CAPTURE[method].some((name) => name === lacking)) continue;
      const failed: unknown = await elasticsearch.capture(target, context, ORIGIN).catch((error: unknown) => error);
      expect(failed, lacking).toMatchObject({ code: 'target', message: expect.stringMatching(/^cannot /) as unknown });
      const { message, hint } = failed as { readonly message: string; readonly hint: string };
      expect(message).toContain(lacking);
      expect(hint).toMatch(/^give the user the privilege \S+ on/);
    }
  });

  test.each(METHODS)('what the README asks for is enough for all restores (%s)', async (method) => {
    const { url, prefix, asUser, may, take, restore, documents } = await securedIndices(service);
    const taken = await take(byServer(method, asUser(method)));
    const before = await documents(`${prefix}b`);
    await may(roleOf(LEAST[method].restore, prefix, true));
    await bulk(url, `${prefix}a`, ['{"delete":{"_id":"2"}}', '{"index":{"_id":"3"}}\n{"n":3}']);
    await ask(url, 'DELETE', `${prefix}b`);
    await restore(taken, 'merge', asUser(method));
    expect(await documents(`${prefix}b`)).toEqual(before);
    expect(await documents(`${prefix}a`)).toHaveLength(3);
    await restore(taken, 'replace', asUser(method));
    expect(await documents(`${prefix}a`)).toHaveLength(2);
    const rename = { from: `${prefix}*`, to: `${prefix}new*` };
    await restore(taken, 'new', { ...asUser(method), rename });
    expect(await documents(`${prefix}newb`)).toEqual(before);
  });

  test.each(METHODS)('and without any of it nothing is changed (%s)', async (method) => {
    const { prefix, asUser, may, take, restore, names } = await securedIndices(service);
    const taken = await take(byServer(method, asUser(method)));
    const before = await names();
    for (const [lacking, rest] of withoutEach(LEAST[method].restore)) {
      // `manage` reads snapshots by itself; the server writes what it restores.
      if (method === 'snapshot' && lacking === 'write') continue;
      await may(roleOf(rest, prefix, true));
      const failed: unknown = await restore(taken, 'replace', asUser(method)).catch((error: unknown) => error);
      expect(failed, lacking).toMatchObject({ code: 'target', message: expect.stringMatching(/^cannot /) as unknown });
      const { message, hint } = failed as { readonly message: string; readonly hint: string };
      expect(`${message} ${hint}`).toContain(`${lacking} on`);
      expect(await names(), lacking).toEqual(before);
    }
  });

  test('indices that the user may not see are told, not left out in silence', async () => {
    const { prefix, context, asUser, may } = await securedIndices(service);
    await may(roleOf(LEAST.export.capture, `${prefix}a`));
    const told = `the user lacks view_index_metadata on ${prefix}*: an index that he may not see is not in it`;
    const look = await elasticsearch.probe(asUser('export'), context);
    expect(look).toMatchObject({ problems: [], warnings: [{ message: told }] });
    const capture = await elasticsearch.capture(asUser('export'), context, ORIGIN);
    await capture.close();
    expect(capture.warnings).toEqual([told]);
  });

  test('without the right to refresh an export tells what may lack', async () => {
    const { prefix, context, asUser, may } = await securedIndices(service);
    const { cluster, indices } = LEAST.export.capture;
    await may(roleOf({ cluster, indices: indices.filter((name) => name !== 'maintenance') }, prefix));
    const capture = await elasticsearch.capture(asUser('export'), context, ORIGIN);
    await capture.close();
    expect(capture.warnings).toEqual(
      [`${prefix}a`, `${prefix}b`].map((name) => expect.stringContaining(`index ${name} may not be refreshed`)),
    );
  });
});
