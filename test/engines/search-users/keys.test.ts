import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { elasticsearch } from '../../../src/engines/elasticsearch.ts';
import { connectionOf, startedServices } from '../../services/connection.ts';
import type { Target } from '../elasticsearch/own-indices.ts';
import { ORIGIN } from '../elasticsearch/own-snapshots.ts';
import { LEAST, roleOf } from './roles.ts';
import { type SecuredIndices, securedIndices } from './secured-indices.ts';
import { makeApiKey, makeToken } from './users.ts';

const KEYS = ['basic', 'apiKey', 'bearerToken'] as const;
const METHODS = ['export', 'snapshot'] as const;

const withoutKeys = ({ username: _name, password: _password, ...target }: Target): Target => target;

/** The target with one kind of key for what captures need. */
async function targetWith(
  kind: (typeof KEYS)[number],
  method: (typeof METHODS)[number],
  own: SecuredIndices,
): Promise<Target> {
  const { url, prefix, user, asUser, may } = own;
  const role = roleOf(LEAST[method].capture, prefix);
  await may(role);
  const target = asUser(method);
  if (kind === 'basic') return target;
  return {
    ...withoutKeys(target),
    ...(kind === 'apiKey' ? await makeApiKey(url, user, role) : await makeToken(url, user)),
  };
}

const wrong = (kind: (typeof KEYS)[number], target: Target): Target =>
  kind === 'basic'
    ? { ...target, password: 'canary-wrong' }
    : { ...target, [kind]: `${target[kind]?.slice(0, -8)}${Buffer.from('wrong!').toString('base64')}` };

describe.each(startedServices('secured-elasticsearch'))('%s', (service) => {
  describe.each(KEYS)('%s', (kind) => {
    test.each(METHODS)('lets a capture in, and a wrong one does not (%s)', async (method) => {
      const own = await securedIndices(service);
      const { context, prefix, take, names } = own;
      const target = await targetWith(kind, method, own);
      expect(await elasticsearch.probe(target, context)).toMatchObject({ problems: [] });
      const taken = await take(target);
      expect(taken.facts).toMatchObject({ documents: { [`${prefix}a`]: 2 } });

      const refused = wrong(kind, target);
      const there = await names();
      const message = expect.stringMatching(/^cannot connect to https:\S+: unable to authenticate/) as unknown;
      const hint = 'correct `username` and `password`, `apiKey` or `bearerToken`';
      const look = await elasticsearch.probe(refused, context);
      expect(look.problems).toEqual([{ message, hint }]);
      const failures = [
        await elasticsearch.capture(refused, context, ORIGIN).catch((error: unknown) => error),
        await own.restore(taken, 'replace', refused).catch((error: unknown) => error),
      ];
      for (const failed of failures) {
        expect(failed).toMatchObject({ code: 'target', message, hint, exitCode: 1 });
        for (const secret of [refused.password, refused.apiKey, refused.bearerToken].filter((one) => one !== undefined))
          expect(`${JSON.stringify(look)}${(failed as Error).message}${(failed as Error).stack}`).not.toContain(secret);
      }
      expect(await names()).toEqual(there);
    });
  });

  test('is trusted by its authority or by a fingerprint of it, and by no other', async () => {
    const { context, prefix, asUser, may } = await securedIndices(service);
    await may(roleOf(LEAST.export.capture, prefix));
    const { authority = '' } = connectionOf(service);
    const { tlsCa: _file, ...bare } = asUser('export');
    const problemsOf = async (target: Target): Promise<string> =>
      JSON.stringify((await elasticsearch.probe(target, context)).problems);
    expect(await problemsOf(bare)).toContain('tlsFingerprint');
    const { fingerprint256: tlsFingerprint } = new X509Certificate(readFileSync(authority));
    expect(await problemsOf({ ...bare, tlsFingerprint })).toBe('[]');
    const other = tlsFingerprint.replace(/^../, (digits) => (digits === '00' ? '01' : '00'));
    expect(await problemsOf({ ...bare, tlsFingerprint: other })).toContain('none of its certificates');
  });
});
