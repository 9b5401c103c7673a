import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Context } from '../../src/context.ts';
import type { FactValue, TargetOf } from '../../src/engines/engine.ts';
import { integrityError } from '../../src/errors.ts';
import type { Target } from '../../src/generated/policy.ts';
import type { Repository } from '../../src/repositories/repository.ts';
import { testContext } from '../test-context.ts';
import type { Content, EngineFixture } from './fixture.ts';
import { childrenOf, incoming, namesBelow, newRepository, restore, SNAPSHOT, take, type Taken } from './workbench.ts';

interface Bench<K extends Target['type']> {
  readonly context: Context;
  readonly repository: Repository;
  /** Empty folders for a target and a destination. */
  readonly from: string;
  readonly to: string;
  readonly target: TargetOf<K>;
}

export async function setUp<K extends Target['type']>(
  fixture: EngineFixture<K>,
  content: Content,
  name: string = 'place',
): Promise<Bench<K>> {
  const { context, folder } = await testContext();
  const from = join(folder, 'from', name);
  const to = join(folder, 'to', name);
  await mkdir(from, { recursive: true });
  await mkdir(to, { recursive: true });
  const target = await fixture.make(from, content);
  return { context, repository: await newRepository(folder, context), from, to, target };
}

/** Nothing of a run is left: no process, no file in its private folder. */
export async function expectNothingLeft(context: Context): Promise<void> {
  await expect.poll(() => childrenOf(context)).toEqual([]);
  expect(namesBelow(context.workDir)).toEqual([]);
}

export function describeRoundTrip<K extends Target['type']>(fixture: EngineFixture<K>): void {
  const { engine } = fixture;
  describe('looks', () => {
    test('without changing anything', async () => {
      const { context, target, to, from } = await setUp(fixture, 'small');
      const before = [await fixture.digest(target), namesBelow(dirname(from))];
      const probe = await engine.probe(target, context);
      expect(probe.problems).toEqual([]);
      const state = fixture.canLook === false ? 'unknown' : 'occupied';
      expect(await engine.inspectDestination(target, context)).toMatchObject({ state, problems: [] });
      expect(namesBelow(dirname(from))).toEqual(before[1]);
      expect(await fixture.digest(target)).toEqual(before[0]);
      const free = fixture.elsewhere(target, to);
      expect(['absent', 'empty', ...(fixture.canLook === false ? ['unknown'] : [])]).toContain(
        (await engine.inspectDestination(free, context)).state,
      );
      expect(namesBelow(to)).toEqual([]);
      await expectNothingLeft(context);
    });

    test('and names what keeps a capture from starting', async () => {
      const { context, target, repository } = await setUp(fixture, 'small');
      await (fixture.stop === undefined ? fixture.destroy(target) : fixture.stop(target));
      if (fixture.canLook !== false) expect((await engine.probe(target, context)).problems).not.toEqual([]);
      await expect(take(fixture, target, repository, context)).rejects.toMatchObject({ code: 'target' });
      expect(await repository.list('', 'deep')).toEqual([]);
    });
  });

  describe('brings back', () => {
    test.each(['empty', 'small', 'large'] as const)('%s content in another place', async (content) => {
      const { context, target, repository, to } = await setUp(fixture, content);
      const before = await fixture.digest(target);
      const taken = await take(fixture, target, repository, context);
      expect(await fixture.digest(target)).toBe(before);
      await expectNothingLeft(context);
      const destination = fixture.elsewhere(target, to);
      const outcome = await restore(fixture, taken, destination, 'new', context);
      expect(outcome).toMatchObject({ facts: taken.facts, keptOld: [], conflicts: [] });
      expect(await fixture.digest(destination)).toBe(before);
      await expectNothingLeft(context);
    });

    test.each(['sp ace \'quo"te', 'ünï¢öde 日本', 'new\nline', '-dash', '%41?#', '$(id)`id`;*[a]{b}'])(
      'what lies in a folder named %j',
      async (name) => {
        const { context, target, to, repository } = await setUp(fixture, 'small', name);
        const taken = await take(fixture, target, repository, context);
        const destination = fixture.elsewhere(target, to);
        await restore(fixture, taken, destination, 'new', context);
        expect(await fixture.digest(destination)).toBe(await fixture.digest(target));
        await fixture.alter(destination);
        const replaced = await restore(fixture, taken, destination, 'replace', context);
        expect(await fixture.digest(destination)).toBe(await fixture.digest(target));
        for (const old of replaced.keptOld) await engine.removeSetAside({ ...old, destination }, context);
      },
    );

    test('what was lost in its own place', async () => {
      const { context, target, repository } = await setUp(fixture, 'small');
      const before = await fixture.digest(target);
      const taken = await take(fixture, target, repository, context);
      await fixture.alter(target);
      await restore(fixture, taken, target, 'replace', context);
      expect(await fixture.digest(target)).toBe(before);
      const again = await take(fixture, target, repository, context);
      expect(again.facts).toEqual(taken.facts);
    });
  });

  test('new refuses a place that holds something', async () => {
    const { context, target, repository, from } = await setUp(fixture, 'small');
    const taken = await take(fixture, target, repository, context);
    await fixture.alter(target);
    const before = [await fixture.digest(target), namesBelow(from)];
    await expect(restore(fixture, taken, target, 'new', context)).rejects.toMatchObject({ code: 'guard' });
    expect([await fixture.digest(target), namesBelow(from)]).toEqual(before);
    await expectNothingLeft(context);
  });

  test('replace keeps the old state until it is removed, or says that it does not', async () => {
    const { context, target, repository, from } = await setUp(fixture, 'small');
    const { replacedInPlace = false } = await engine.inspectDestination(target, context);
    const before = [await fixture.digest(target), namesBelow(from)];
    const taken = await take(fixture, target, repository, context);
    await fixture.alter(target);
    const { keptOld, facts } = await restore(fixture, taken, target, 'replace', context);
    expect(facts).toEqual(taken.facts);
    expect(keptOld.length > 0).toBe(!replacedInPlace);
    for (const old of keptOld) {
      // Not every server takes capital letters in names.
      expect(old.reference.toLowerCase()).toContain(SNAPSHOT.toLowerCase());
      const found = { ...old, destination: target };
      expect(await engine.setAsideExists(found, context)).toBe(true);
      await engine.removeSetAside(found, context);
      expect(await engine.setAsideExists(found, context)).toBe(false);
      await engine.removeSetAside(found, context);
    }
    expect([await fixture.digest(target), namesBelow(from)]).toEqual(before);
  });

  test('replace twice keeps both old states', async () => {
    const { context, target, repository } = await setUp(fixture, 'small');
    const taken = await take(fixture, target, repository, context);
    await fixture.alter(target);
    const first = await restore(fixture, taken, target, 'replace', context);
    if (!fixture.isPersistent) return;
    const second = await restore(fixture, taken, target, 'replace', context);
    for (const old of [...first.keptOld, ...second.keptOld]) {
      expect(await engine.setAsideExists({ ...old, destination: target }, context)).toBe(true);
    }
  });

  test('nothing is removed that no restore set aside', async () => {
    const { context, target, from } = await setUp(fixture, 'small');
    const before = await fixture.digest(target);
    const stranger = { type: engine.type, reference: from, destination: target };
    await expect(engine.removeSetAside(stranger, context)).rejects.toMatchObject({ code: 'target' });
    expect(await fixture.digest(target)).toBe(before);
  });

  test('merge adds what is missing and keeps what is there', async () => {
    const { context, target, repository } = await setUp(fixture, 'small');
    const taken = await take(fixture, target, repository, context);
    await fixture.alter(target);
    expect(await fixture.partsOf(target)).toEqual({ taken: false, added: true });
    const outcome = await restore(fixture, taken, target, 'merge', context);
    expect(outcome).toMatchObject({ facts: null, conflicts: [] });
    expect(await fixture.partsOf(target)).toEqual({ taken: true, added: true });
    const once = await fixture.digest(target);
    await restore(fixture, taken, target, 'merge', context);
    expect(await fixture.digest(target)).toBe(once);
    await expectNothingLeft(context);
  });

  test('every mode works on a place where nothing is', async () => {
    const { context, target, repository, to } = await setUp(fixture, 'small');
    const taken = await take(fixture, target, repository, context);
    for (const mode of engine.capabilities.modes) {
      await mkdir(join(to, mode));
      const destination = fixture.elsewhere(target, join(to, mode));
      await restore(fixture, taken, destination, mode, context);
      expect(await fixture.digest(destination)).toBe(await fixture.digest(target));
    }
  });

  test('a check tells the same facts', async () => {
    const { context, target, repository } = await setUp(fixture, 'small');
    const taken = await take(fixture, target, repository, context);
    const { facts } = await engine.check(incoming(taken, context), context, target);
    expect(Object.keys(facts)).not.toEqual([]);
    // Some facts are only known where the data came from.
    expect(taken.facts).toMatchObject(facts);
    await expectNothingLeft(context);
  });

  if (fixture.isPersistent) {
    test('its native command restores without bkp', async () => {
      const { context, target, repository } = await setUp(fixture, 'small');
      const digest = (): Promise<string> => fixture.digestByHand?.(target) ?? fixture.digest(target);
      const before = await digest();
      const { artifacts } = await take(fixture, target, repository, context);
      await fixture.destroy(target);
      for (const { key, name, format } of artifacts) {
        const file = repository.localPath(key) ?? '';
        const command = engine.nativeRestore(target, { name, format, decode: `zstd -dc '${file}'`, file });
        const env = fixture.handEnvironment?.(target) ?? {};
        const byHand = { argv: ['sh', '-c', command], env, cwd: context.workDir } as const;
        expect(await context.run(byHand)).toMatchObject({ exitCode: 0 });
      }
      expect(await digest()).toBe(before);
    });
  }

  test('queries are answered on what was captured, where they are promised', async () => {
    const { context, target, repository } = await setUp(fixture, 'small');
    expect(fixture.query !== null).toBe(engine.capabilities.sqlChecks);
    const { query } = fixture;
    if (query === null) return;
    const capture = await engine.capture(target, context);
    expect(await capture.query?.(query.sql)).toEqual(query.value);
    await capture.close();
    const taken: Taken = await take(fixture, target, repository, context);
    if (engine.query !== undefined) {
      const answers = await engine.query(incoming(taken, context), [query.sql, query.sql], context);
      expect(answers).toEqual([query.value, query.value]);
    }
    await expectNothingLeft(context);
  });

  if (engine.query === undefined && engine.capabilities.sqlChecks) {
    test('what was restored is asked before the old state is given up', async () => {
      const { context, target, repository, to } = await setUp(fixture, 'small');
      const taken = await take(fixture, target, repository, context);
      const sql = fixture.query?.sql ?? '';
      const asked: FactValue[] = [];
      await restore(fixture, taken, fixture.elsewhere(target, to), 'new', context, async (ask) => {
        asked.push(await ask(sql));
      });
      expect(asked).toEqual([fixture.query?.value]);
      await fixture.alter(target);
      const before = await fixture.digest(target);
      const refused = restore(fixture, taken, target, 'replace', context, async (ask) => {
        throw integrityError(`not ${JSON.stringify(await ask(sql))}`);
      });
      await expect(refused).rejects.toMatchObject({
        code: 'integrity',
        message: `not ${JSON.stringify(fixture.query?.value)}`,
      });
      expect(await fixture.digest(target)).toBe(before);
      await expectNothingLeft(context);
    });
  }
}
