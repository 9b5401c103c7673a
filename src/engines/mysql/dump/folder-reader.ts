import type { Facts, RawReader } from '../../engine.ts';
import { createTarReader } from '../../files/tar-reader.ts';
import { dumpError } from './errors.ts';
import { type DumpNotes, openDumpNotes } from './inspector.ts';
import { createDumpLexer, type DumpLexer } from './lexer.ts';
import { describeStatement, type Statement, type StatementKind } from './statement.ts';

export const TABLES_FILE = 'tables.sql';
export const DEFINITIONS_FILE = 'definitions.sql';
export const ROWS_FOLDER = 'rows';
/** Names become files: none may lead out of their folder. */
const ROWS_FILE = /^rows\/\w[\w.-]*\.sql$/;

/** Gets the files of a dump that lie on the disk when it is restored, and what makes the rest. */
export interface FolderSink {
  begin(name: string): void;
  data(chunk: Buffer): void;
  end(): void;
  definition(statement: Statement, text: Buffer): void;
}

type Part = 'tables' | 'rows' | 'definitions';

/** What stands nowhere else. */
const OF_PART: Readonly<Record<Part, readonly StatementKind[]>> = {
  tables: ['session', 'table', 'drop-table', 'sequence'],
  rows: ['session', 'rows'],
  definitions: [
    'session',
    'delimiter',
    'view',
    'view-stand-in',
    'trigger',
    'routine',
    'event',
    'drop',
    'alter-database',
  ],
};

/**
 * Reads the files of a dump with rows of mydumper: those of the tables come first, those with rows then, and last the one
 * that ends as a dump does, which is written when all the others were whole.
 */
export function createFolderReader(sink?: FolderSink): RawReader {
  const notes = openDumpNotes();
  const names = new Set<string>();
  const tables = new Set<string>();
  let part: Part = 'tables';
  let member: DumpLexer | null = null;
  let facts: Facts | null = null;

  const begin = (name: string): void => {
    const next = partOf(name);
    if (next === null || names.has(name)) throw dumpError(`${name} is none of its files, or stands twice in it`);
    if (facts !== null) throw dumpError(`${name} follows its end`);
    if (names.size === 0 ? next !== 'tables' : next === 'tables') throw dumpError('it does not begin with its tables');
    names.add(name);
    part = next;
    member = lexerOf(notes, {
      statement(statement, text) {
        if (!OF_PART[next].includes(statement.kind)) throw dumpError(`${name} has a statement that belongs elsewhere`);
        if (statement.kind === 'table') tables.add(statement.name);
        if (next === 'definitions') sink?.definition(statement, text);
      },
      rows(table) {
        if (next !== 'rows' || !tables.has(table)) throw dumpError(`${name} has rows of a table that it does not have`);
      },
    });
    if (next !== 'definitions') sink?.begin(name);
  };

  const tar = createTarReader({
    begin({ name, type }) {
      if (type !== 'file') throw dumpError('something in it is no file');
      begin(name);
    },
    data(chunk) {
      member?.push(chunk);
      if (part !== 'definitions') sink?.data(chunk);
    },
    end() {
      const trailer = member?.end() ?? NOTHING;
      if (part === 'definitions') facts = notes.end(trailer);
      else sink?.end();
    },
  });

  return {
    push: (chunk) => tar.push(chunk),
    end() {
      tar.end();
      if (facts === null) throw dumpError('its end mark is missing');
      return facts;
    },
  };
}

const NOTHING = Buffer.alloc(0);

/** Sees a dump while it is stored. Throws `integrity` for one that is cut or holds something else. */
export const openFolderInspector = (): RawReader => createFolderReader();

function partOf(name: string): Part | null {
  if (name === TABLES_FILE) return 'tables';
  if (name === DEFINITIONS_FILE) return 'definitions';
  return ROWS_FILE.test(name) ? 'rows' : null;
}

/** Every file is a script of its own: no statement goes on in the next. */
function lexerOf(
  notes: DumpNotes,
  found: { statement(statement: Statement, text: Buffer): void; rows(table: string): void },
): DumpLexer {
  let table = '';
  return createDumpLexer({
    statement(text) {
      const statement = describeStatement(text);
      notes.take(statement, text);
      found.statement(statement, text);
    },
    rowsBegin(head) {
      const statement = describeStatement(head);
      notes.take(statement, head);
      table = statement.name;
      found.rows(table);
    },
    rowsPiece: () => undefined,
    rowsEnd: (rows) => notes.rows(table, rows),
  });
}
