import { tableKey } from './table-key.ts';

export interface Relation {
  readonly schema: string;
  readonly name: string;
}

const MOST_NAMED = 5;

/** `public.events, app."Odd" and 12 more`. */
export const namedRelations = (found: readonly Relation[]): string =>
  named(found.map(({ schema, name }) => tableKey(schema, name)));

/** The first few of many, and how many more there are. */
export function named(names: readonly string[], total: number = names.length): string {
  const shown = names.slice(0, MOST_NAMED).join(', ');
  return total <= MOST_NAMED ? shown : `${shown} and ${(total - MOST_NAMED).toLocaleString('en')} more`;
}
