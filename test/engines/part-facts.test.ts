import { expect, test } from 'vitest';
import { factsOfPart, partFacts, uniteFacts } from '../../src/engines/part-facts.ts';

test('facts of parts are united below their names, and taken apart again', () => {
  const kong = { tables: { 'public.a': 1 }, largeObjects: 2 };
  const audit = { tables: { 'public.a': 3 }, largeObjects: 0 };
  const united = uniteFacts([{ roles: 4 }, factsOfPart(kong, 'kong'), factsOfPart(audit, 'audit')]);
  expect(united).toEqual({
    roles: 4,
    tables: { kong: { 'public.a': 1 }, audit: { 'public.a': 3 } },
    largeObjects: { kong: 2, audit: 0 },
  });
  expect(partFacts(united, 'kong')).toEqual(kong);
  expect(partFacts(united, 'audit')).toEqual(audit);
  expect(partFacts(united, 'other')).toEqual({});
});
