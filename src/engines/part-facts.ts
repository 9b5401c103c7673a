import type { FactValue, Facts } from './engine.ts';

/** The facts of one part of a target, its name below every key: `{ tables: { kong: { … } } }`. */
export const factsOfPart = (facts: Facts, part: string): Facts =>
  Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, { [part]: value }]));

/** What `factsOfPart` made of one part, taken apart again; a key without that part is left out. */
export const partFacts = (facts: Facts, part: string): Facts =>
  Object.fromEntries(
    Object.entries(facts).flatMap(([key, value]) => {
      const own = isNested(value) ? value[part] : undefined;
      return own === undefined ? [] : [[key, own]];
    }),
  );

/** The facts of all parts as one. */
export const uniteFacts = (parts: readonly Facts[]): Facts => {
  const united: Record<string, FactValue> = {};
  for (const facts of parts) {
    for (const [key, value] of Object.entries(facts)) {
      const before = united[key] ?? null;
      united[key] = isNested(before) && isNested(value) ? { ...before, ...value } : value;
    }
  }
  return united;
};

const isNested = (value: FactValue): value is Facts => typeof value === 'object' && value !== null;
