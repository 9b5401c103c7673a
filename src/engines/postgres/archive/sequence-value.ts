import { parseQualifiedName } from './copy-target.ts';
import { tableKey } from '../server/table-key.ts';

/** Last values of sequences by `tableKey`, as text because they may be beyond 2^53; null where none was taken yet. */
export type SequenceValues = Readonly<Record<string, string | null>>;

const SETVAL = /^SELECT pg_catalog\.setval\((E?)'((?:[^']|'')+)', (-?\d+), (true|false)\);\s*$/;

/** What a statement of pg_dump sets a sequence to; null for any other statement. */
export function parseSequenceValue(statement: string): readonly [key: string, value: string | null] | null {
  const [, escaped, literal = '', value = '', isCalled] = SETVAL.exec(statement) ?? [];
  if (isCalled === undefined) return null;
  const text = literal.replaceAll("''", "'");
  const name = parseQualifiedName(escaped === 'E' ? text.replaceAll('\\\\', '\\') : text);
  return name === null ? null : [tableKey(name.schema, name.name), isCalled === 'true' ? value : null];
}
