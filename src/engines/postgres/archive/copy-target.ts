import { unquoteIdentifier } from '../server/quote.ts';

const NAME = String.raw`([a-z_][a-z0-9_]*|"(?:[^"]|"")+")`;
const COPY = new RegExp(String.raw`^COPY ${NAME}\.${NAME} (?:\(.*\))? ?FROM stdin;$`, 's');
const QUALIFIED = new RegExp(String.raw`^${NAME}\.${NAME}$`, 's');

/** The table whose rows follow a COPY of pg_dump; null for any other statement. */
export function parseCopyTarget(statement: string): { readonly schema: string; readonly table: string } | null {
  const [, schema, table] = COPY.exec(statement) ?? [];
  return schema === undefined || table === undefined
    ? null
    : { schema: unquoteIdentifier(schema), table: unquoteIdentifier(table) };
}

/** Takes `app."Odd"` apart, as pg_dump writes it. */
export function parseQualifiedName(text: string): { readonly schema: string; readonly name: string } | null {
  const [, schema, name] = QUALIFIED.exec(text) ?? [];
  return schema === undefined || name === undefined
    ? null
    : { schema: unquoteIdentifier(schema), name: unquoteIdentifier(name) };
}
