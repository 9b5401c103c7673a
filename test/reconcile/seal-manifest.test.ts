import { expect, test } from 'vitest';
import { isSealed, sealManifest, unsealManifest } from '../../src/reconcile/seal-manifest.ts';
import type { Manifest } from '../../src/snapshots/manifest.ts';
import { moveKeys } from '../../src/snapshots/move-keys.ts';
import { aManifest, anArtifact, idAt } from '../snapshots/fixtures.ts';
import { ageKey } from '../streams/age-keys.ts';
import { pathWith } from '../streams/tools.ts';
import { testContext, testFolder } from '../test-context.ts';

/** Two databases, whose names nobody shall know. */
function databases(): Manifest {
  const plain = aManifest(idAt('2026-11-19T02:00:00Z'));
  const artifact = (key: string, name: string) => ({ ...anArtifact(key), name, encryption: 'age' as const });
  const db = plain.targets['db'];
  if (db === undefined) throw new Error('no target');
  return {
    ...plain,
    targets: {
      db: {
        ...db,
        facts: { 'tables salaries': { people: 3 } },
        warnings: ['salaries: a view is broken'],
        artifacts: [artifact('db/1.dump.age', 'salaries'), artifact('db/2.dump.age', 'invoices')],
        restore: ['age -d -i identity.txt db/1.dump.age | pg_restore -d salaries', 'cat db/2.dump.age | psql invoices'],
      },
    },
  };
}

test.each([
  ['the program', ['age']],
  ['the library', []],
])('a sealed manifest tells nothing of its content, and all of it with a key (%s)', async (_, tools) => {
  const [mine, other] = [await ageKey(await testFolder()), await ageKey(await testFolder())];
  const environment = { PATH: await pathWith(await testFolder(), tools) };
  const { context } = await testContext({ environment });
  const opening = await testContext({ environment, identities: mine.identities });
  const stranger = await testContext({ environment, identities: other.identities });
  const whole = databases();
  const sealed = await sealManifest(whole, { recipients: [mine.recipient], sealsManifest: true }, context);
  expect(isSealed(sealed)).toBe(true);
  expect(JSON.stringify(sealed)).not.toMatch(/salaries|invoices|people/);
  expect(sealed.targets['db']?.artifacts.map(({ name }) => name)).toEqual(['1', '2']);
  const { encryption: _encryption, ...opened } = await unsealManifest(sealed, opening.context);
  expect(opened).toEqual(whole);

  // A copy may lie under other keys.
  const moved = await unsealManifest(moveKeys(sealed, 'copy~run/'), opening.context);
  expect(moved.targets['db']?.artifacts.map(({ name }) => name)).toEqual(['salaries', 'invoices']);
  expect(moved.targets['db']?.restore).toEqual([
    'age -d -i identity.txt copy~run/db/1.dump.age | pg_restore -d salaries',
    'cat copy~run/db/2.dump.age | psql invoices',
  ]);

  const refused = { code: 'usage', hint: expect.stringContaining(mine.recipient) as unknown };
  await expect(unsealManifest(sealed, context)).rejects.toMatchObject(refused);
  await expect(unsealManifest(sealed, stranger.context)).rejects.toMatchObject(refused);
  const { encryption } = sealed;
  if (encryption === undefined) throw new Error('not encrypted');
  const spoiled = { ...encryption, sealed: encryption.sealed.replace(/\n(.)(.)/g, '\n$2$1') };
  await expect(unsealManifest({ ...sealed, encryption: spoiled }, opening.context)).rejects.toMatchObject({
    code: 'integrity',
  });
});

test('an open manifest tells all and still knows whether a key fits', async () => {
  const [mine, other] = [await ageKey(await testFolder()), await ageKey(await testFolder())];
  const { context } = await testContext({ identities: mine.identities });
  const stranger = await testContext({ identities: other.identities });
  const whole = databases();
  const open = await sealManifest(whole, { recipients: [mine.recipient], sealsManifest: false }, context);
  expect(isSealed(open)).toBe(false);
  expect(open.targets).toEqual(whole.targets);
  expect((await unsealManifest(open, context)).targets).toEqual(whole.targets);
  await expect(unsealManifest(open, stranger.context)).rejects.toMatchObject({ code: 'usage' });
});
