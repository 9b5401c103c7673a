import type { Statement, StatementKind } from './statement.ts';

/** One statement of a script, without its delimiter, ready for a session. */
export interface ScriptStatement {
  readonly kind: StatementKind;
  readonly name: string;
  /** Of `drop`, and of a routine: what it is. */
  readonly of: string;
  readonly text: string;
}

/** Gathers what makes views, triggers, routines and events, with the settings of the session that each is made under. */
export interface DefinitionsCollector {
  take(statement: Statement, text: Buffer): void;
  readonly script: readonly ScriptStatement[];
}

const DEFINING: readonly StatementKind[] = [
  'view-stand-in',
  'view',
  'trigger',
  'routine',
  'event',
  'drop',
  'alter-database',
];

/** Settings that stand before tables and rows are left out: there may be thousands. */
export function collectDefinitions(): DefinitionsCollector {
  const script: ScriptStatement[] = [];
  let pending: ScriptStatement[] = [];
  let delimiter = ';';
  let isAfter = false;
  return {
    script,
    take({ kind, name, of }, text) {
      if (kind === 'sandbox') return;
      const all = text.toString('utf8').trim();
      if (kind === 'delimiter') {
        delimiter = /DELIMITER\s+(\S+)\s*$/i.exec(all)?.[1] ?? ';';
        return;
      }
      const own = all.endsWith(delimiter) ? all.slice(0, -delimiter.length) : all;
      const one = { kind, name, of, text: own };
      if (DEFINING.includes(kind)) {
        script.push(...pending, one);
        [pending, isAfter] = [[], true];
      } else if (kind !== 'session') [pending, isAfter] = [[], false];
      // What puts settings back belongs to what stands before it: a definition, or a table that is left out.
      else if (/= ?@(?:saved?_|OLD_)/.test(own)) {
        if (isAfter && !/= ?@OLD_/.test(own)) script.push(one);
      } else pending.push(one);
    },
  };
}
