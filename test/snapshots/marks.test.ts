import { describe, expect, test } from 'vitest';
import type { MarkRecord } from '../../src/snapshots/inventory.ts';
import type { MarkKind } from '../../src/snapshots/manifest.ts';
import { addMark, readMarks } from '../../src/snapshots/marks.ts';
import { deepVerifiedAt, isDamaged, isGood, protection, verifiedAt } from '../../src/snapshots/standing.ts';
import { openMemoryRepository } from '../repositories/memory-repository.ts';
import { idAt, takeLease, testRunner } from './fixtures.ts';

const name = { backup: 'kong', id: idAt('2026-11-19T02:00:00Z') };
const mark = { ...name, policy: 'acme', data: {} };

test('marks of one snapshot never have the same time, in the order they were set', async () => {
  const repository = openMemoryRepository();
  const runner = testRunner();
  const kinds: readonly MarkKind[] = ['protected', 'unprotected', 'protected', 'verified', 'unprotected'];
  for (const kind of kinds) {
    await addMark(repository, { ...mark, kind }, null, runner);
    runner.clock.wall -= 3_600_000;
  }
  await addMark(repository, { ...mark, id: idAt('2026-11-20T02:00:00Z'), kind: 'damaged' }, null, runner);
  const marks = await readMarks(repository, name, null);
  expect(marks.map(({ kind }) => kind)).toEqual(kinds);
  expect(marks[0]?.at).toBe('2026-11-19T02:00:00.000Z');
  expect(marks.at(-1)?.at).toBe('2026-11-19T02:00:00.004Z');
});

test('two that mark at once both leave their mark', async () => {
  const repository = openMemoryRepository();
  const runner = testRunner();
  await Promise.all(Array.from({ length: 8 }, () => addMark(repository, { ...mark, kind: 'verified' }, null, runner)));
  const marks = await readMarks(repository, name, null);
  expect(new Set(marks.map(({ at }) => at)).size).toBe(8);
});

test('who lost the lease marks nothing', async () => {
  const repository = openMemoryRepository();
  const runner = testRunner();
  const lease = await takeLease(repository, runner);
  await lease.release();
  await expect(addMark(repository, { ...mark, kind: 'verified' }, lease, runner)).rejects.toMatchObject({
    code: 'lock',
  });
  expect(await readMarks(repository, name, null)).toEqual([]);
});

test('a mark says who set it', async () => {
  const repository = openMemoryRepository();
  await addMark(repository, { ...mark, kind: 'protected', data: { reason: 'audit' } }, null, testRunner());
  const [key = ''] = await repository.list('marks/', 'deep');
  expect(JSON.parse((await repository.read(key)).toString())).toEqual({
    formatVersion: 1,
    kind: 'protected',
    at: '2026-11-19T02:00:00.000Z',
    policy: 'acme',
    by: { host: 'runner-1', bkp: expect.stringMatching(/^\d+\.\d+\.\d+/) },
    data: { reason: 'audit' },
  });
});

describe('standing', () => {
  const marked = (
    ...marks: readonly [MarkKind, object?][]
  ): { kind: 'backup'; status: 'created'; folderPresent: true; marks: readonly MarkRecord[] } => ({
    kind: 'backup',
    status: 'created',
    folderPresent: true,
    marks: marks.map(([kind, data = {}], index) => ({
      kind,
      at: `2026-11-19T02:00:00.00${index}Z`,
      data: { ...data },
    })),
  });
  const deep = { deep: true };

  test('damage is cleared by a later check of the same depth', () => {
    expect(isDamaged(marked(['damaged']))).toBe(true);
    expect(isDamaged(marked(['verified'], ['damaged']))).toBe(true);
    expect(isDamaged(marked(['damaged'], ['verified']))).toBe(false);
    expect(isDamaged(marked(['damaged', deep], ['verified']))).toBe(true);
    expect(isDamaged(marked(['damaged', deep], ['verified', deep]))).toBe(false);
    expect(isDamaged(marked(['damaged'], ['verified', deep]))).toBe(false);
    expect(isDamaged(marked(['damaged'], ['verified'], ['damaged']))).toBe(true);
  });

  test('good is whole, of a run or adopted, undamaged and staying', () => {
    expect(isGood(marked())).toBe(true);
    expect(isGood({ ...marked(), kind: 'adopted' })).toBe(true);
    expect(isGood({ ...marked(), kind: 'safety' })).toBe(false);
    expect(isGood({ ...marked(), status: 'partial' })).toBe(false);
    expect(isGood({ ...marked(), folderPresent: false })).toBe(false);
    expect(isGood(marked(['damaged']))).toBe(false);
    expect(isGood(marked(['released', { keys: ['db.db'] }]))).toBe(false);
    expect(isGood(marked(['released', { keys: [] }]))).toBe(true);
  });

  test('verified is the newest check that found nothing', () => {
    expect(verifiedAt(marked())).toBeNull();
    expect(verifiedAt(marked(['verified'], ['verified', deep]))).toBe('2026-11-19T02:00:00.001Z');
    expect(deepVerifiedAt(marked(['verified', deep], ['verified']))).toBe('2026-11-19T02:00:00.000Z');
    expect(verifiedAt(marked(['verified'], ['damaged']))).toBeNull();
    expect(deepVerifiedAt(marked(['verified', deep], ['damaged']))).toBeNull();
  });

  test('of protected and unprotected the newer counts', () => {
    expect(protection(marked())).toBeNull();
    expect(protection(marked(['protected', { reason: 'audit' }]))).toEqual({ reason: 'audit' });
    expect(protection(marked(['protected'], ['unprotected']))).toBeNull();
    expect(protection(marked(['protected'], ['unprotected'], ['protected']))).toEqual({ reason: '' });
  });
});
