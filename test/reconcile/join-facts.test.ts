import { describe, expect, it } from 'vitest';
import { assertFactsAgree, joinFacts } from '../../src/reconcile/join-facts.ts';

describe('facts of an artifact and of its source', () => {
  it('are joined where they agree, and compared only where both tell', () => {
    expect(joinFacts('db', { tables: { a: 1 }, bytes: 7 }, { tables: { a: 1 }, sequences: { s: '4' } })).toEqual({
      tables: { a: 1 },
      bytes: 7,
      sequences: { s: '4' },
    });
    expect(joinFacts('db', {}, { tables: { a: 1 } })).toEqual({ tables: { a: 1 } });
  });

  it.each([
    [{ a: 1 }, { a: 2 }, 'tables a is 1 in the artifact and 2 at its source'],
    [{}, { a: 2 }, 'tables a is null in the artifact and 2 at its source'],
    [{ a: 1, b: 0 }, { a: 1 }, 'tables b is 0 in the artifact and null at its source'],
  ])('differ: %j and %j', (tables, known, message) => {
    expect(() => joinFacts('db', { tables }, { tables: known })).toThrow(
      expect.objectContaining({ code: 'integrity', message: `cannot trust the capture of db: ${message}` }),
    );
  });

  it('name where the other count stands', () => {
    const words = { doing: 'cannot trust the artifact of db', where: 'in the manifest' };
    expect(() => assertFactsAgree({ entries: 1 }, { entries: 2 }, words)).toThrow(
      'cannot trust the artifact of db: entries is 1 in the artifact and 2 in the manifest',
    );
  });
});
