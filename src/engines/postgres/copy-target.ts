const NAME = String.raw`([a-z_][a-z0-9_]*|"(?:[^"]|"")+")`;
const COPY = new RegExp(String.raw`^COPY ${NAME}\.${NAME} (?:\(.*\))? ?FROM stdin;$`, 's');

/** The table whose rows follow a COPY of pg_dump; null for any other statement. */
export function parseCopyTarget(statement: string): { readonly schema: string; readonly table: string } | null {
  const [, schema, table] = COPY.exec(statement) ?? [];
  return schema === undefined || table === undefined ? null : { schema: unquote(schema), table: unquote(table) };
}

const unquote = (name: string): string => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name);
