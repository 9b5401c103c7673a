import type { Facts, RawReader } from '../../engine.ts';
import { dumpError, foreignDump } from './errors.ts';
import { createDumpLexer } from './lexer.ts';
import { describeStatement, type Statement } from './statement.ts';

const END_MARK = /(?:^|\n)-- Dump completed(?: on \d{4}-\d\d-\d\d [ \d]\d:\d\d:\d\d)?\r?\n\s*$/;
const EARLY_MARK = Buffer.from('-- Dump completed');
const COLLATION = /\bCOLLATE[ =]+'?([a-z]\w+)|\bcollation_connection\s*=\s*'?([a-z]\w+)/gi;

/** Takes note of what a dump holds, statement by statement. */
export interface DumpNotes {
  take(statement: Statement, text: Buffer): void;
  rows(name: string, count: number): void;
  /** Throws `integrity` unless what stands behind the last statement is the end of a dump. */
  end(trailer: Buffer): Facts;
}

/** Sees a dump while it passes. Throws `integrity` for one that is cut, or that selects a database of its own. */
export function openDumpInspector(): RawReader {
  const notes = openDumpNotes();
  let table = '';
  const lexer = createDumpLexer({
    statement: (text) => notes.take(describeStatement(text), text),
    rowsBegin(head) {
      const statement = describeStatement(head);
      notes.take(statement, head);
      table = statement.name;
    },
    rowsPiece: () => undefined,
    rowsEnd: (rows) => notes.rows(table, rows),
  });
  return { push: (chunk) => lexer.push(chunk), end: () => notes.end(lexer.end()) };
}

export function openDumpNotes(): DumpNotes {
  const tables = new Map<string, number>();
  const views = new Set<string>();
  const objects = { trigger: new Set<string>(), routine: new Set<string>(), event: new Set<string>() };
  const sequences = new Set<string>();
  const definers = new Map<string, number>();
  const collations = new Set<string>();
  return {
    take(statement, text) {
      const { kind, name, definer } = statement;
      if (kind === 'other-database') throw foreignDump('it selects or makes a database of its own');
      if (text.includes(EARLY_MARK)) throw dumpError('it goes on after its end mark');
      if (kind === 'rows') return;
      if (kind === 'table') tables.set(name, tables.get(name) ?? 0);
      else if (kind === 'view' || kind === 'view-stand-in') {
        // Very old programs let a table stand in for a view.
        tables.delete(name);
        views.add(name);
      } else if (kind === 'trigger' || kind === 'event') objects[kind].add(name);
      else if (kind === 'routine') objects.routine.add(`${statement.of} ${name}`);
      else if (kind === 'sequence') sequences.add(name);
      if (definer !== null) definers.set(definer, (definers.get(definer) ?? 0) + 1);
      if (kind === 'session' || kind === 'table' || definer !== null)
        for (const [, own, ofSession] of text.toString('utf8').matchAll(COLLATION)) {
          const collation = own ?? ofSession ?? '';
          if (collation !== '') collations.add(collation.toLowerCase());
        }
    },
    rows: (name, count) => void tables.set(name, (tables.get(name) ?? 0) + count),
    end(trailer) {
      if (!END_MARK.test(trailer.toString('latin1'))) throw dumpError('its end mark is missing');
      return {
        tables: Object.fromEntries([...tables].toSorted(byName)),
        views: views.size,
        triggers: objects.trigger.size,
        routines: objects.routine.size,
        events: objects.event.size,
        ...(sequences.size === 0 ? {} : { sequences: sequences.size }),
        ...(definers.size === 0 ? {} : { definers: Object.fromEntries([...definers].toSorted(byName)) }),
        ...(collations.size === 0
          ? {}
          : { collations: Object.fromEntries([...collations].toSorted().map((name) => [name, true] as const)) }),
      };
    },
  };
}

const byName = ([a]: readonly [string, number], [b]: readonly [string, number]): number => (a < b ? -1 : 1);
