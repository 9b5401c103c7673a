import { integrityError } from '../../../errors.ts';
import { decoderOf } from '../archive/client-encoding.ts';
import { unquoteIdentifier } from '../server/quote.ts';

/** A part of a script that pg_restore writes for the rows of an archive. */
export type ScriptPart =
  | { readonly kind: 'line'; readonly text: string }
  /** Its rows are to be read to the end, or not at all, before the next part. */
  | { readonly kind: 'copy'; readonly statement: string; readonly rows: CopyRows };

/** Rows for COPY; without an encoding they are UTF-8. */
export interface CopyRows extends AsyncIterable<Buffer> {
  readonly encoding?: string;
}

const END = Buffer.from('\n\\.\n');
const END_WITHOUT_ROWS = END.subarray(1);

/** Cuts a script into lines and blocks of rows; holds one line or one piece of a block at a time. */
export async function* readScript(script: AsyncIterable<Buffer>): AsyncGenerator<ScriptPart, void, void> {
  const chunks = script[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  let decoder = decoderOf('');
  let encoding: string | undefined;
  const more = async (): Promise<boolean> => {
    const next: IteratorResult<Buffer, unknown> = await chunks.next();
    if (next.done === true) return false;
    held = held.length === 0 ? next.value : Buffer.concat([held, next.value]);
    return true;
  };
  async function* readRows(): AsyncGenerator<Buffer, void, void> {
    while (held.length < END_WITHOUT_ROWS.length) if (!(await more())) throw cutError();
    if (held.subarray(0, END_WITHOUT_ROWS.length).equals(END_WITHOUT_ROWS)) {
      held = held.subarray(END_WITHOUT_ROWS.length);
      return;
    }
    for (;;) {
      const end = held.indexOf(END);
      if (end >= 0) {
        const last = held.subarray(0, end + 1);
        held = held.subarray(end + END.length);
        yield last;
        return;
      }
      const kept = END.length - 1;
      if (held.length > kept) {
        const piece = held.subarray(0, held.length - kept);
        held = held.subarray(held.length - kept);
        yield piece;
      }
      if (!(await more())) throw cutError();
    }
  }
  for (;;) {
    let end = held.indexOf('\n');
    while (end < 0) {
      if (!(await more())) return;
      end = held.indexOf('\n');
    }
    const text = decoder.decode(held.subarray(0, end));
    const named = /^SET client_encoding = '(\w+)';$/.exec(text)?.[1];
    if (named !== undefined) {
      decoder = decoderOf(text);
      encoding = named === 'UTF8' ? undefined : named;
    }
    held = held.subarray(end + 1);
    if (!/^COPY .* FROM stdin;$/.test(text)) {
      yield { kind: 'line', text };
      continue;
    }
    const rows = readRows();
    yield { kind: 'copy', statement: text, rows: encoding === undefined ? rows : Object.assign(rows, { encoding }) };
    for await (const _ of rows);
  }
}

const cutError = (): Error => integrityError('cannot read the archive: the rows of a table have no end');

const IDENTIFIER = String.raw`(?:"(?:[^"]|"")+"|[^\s".(),]+)`;
const COPY = new RegExp(String.raw`^COPY (${IDENTIFIER})\.(${IDENTIFIER}) (?:\((.*)\) )?\s*FROM stdin;$`);

/** The table and the columns, in order, of a `COPY` statement. */
export function parseCopy(statement: string): {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
} {
  const [, schema, name, columns = ''] = COPY.exec(statement) ?? [];
  if (schema === undefined || name === undefined)
    throw integrityError('cannot read the archive: a COPY without a table');
  const names = [...columns.matchAll(new RegExp(IDENTIFIER, 'g'))].map(([column]) => unquoteIdentifier(column));
  return { schema: unquoteIdentifier(schema), name: unquoteIdentifier(name), columns: names };
}
