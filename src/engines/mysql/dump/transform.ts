import { DEFINER, type Statement } from './statement.ts';

/** How statements change on their way into another database. */
export interface TransformOptions {
  /** Whoever restores owns everything: no statement names who it runs as. */
  readonly noOwner: boolean;
  /** The program knows the line that forbids it to start others. */
  readonly keepsSandbox: boolean;
}

const IDENTIFIER = '(?:`(?:[^`]|``)*`|[\\w$\\u0080-\\uffff]+)';
const TRIGGER_HEAD = new RegExp(
  `(\\bTRIGGER\\s+(?:IF NOT EXISTS\\s+)?)(?:${IDENTIFIER}\\s*\\.\\s*)?(${IDENTIFIER}\\s+(?:BEFORE|AFTER)\\s+\\w+\\s+ON\\s+)(?:${IDENTIFIER}\\s*\\.\\s*)?(${IDENTIFIER})`,
  'i',
);
const OF_DATABASE = /(ALTER DATABASE) (?:`(?:[^`]|``)*`)/;

/** A statement as it is run; null where it is left out. The same buffer where nothing changes. */
export function transformStatement(statement: Statement, text: Buffer, options: TransformOptions): Buffer | null {
  const { kind, definer } = statement;
  if (kind === 'sandbox') return options.keepsSandbox ? text : null;
  if (kind === 'alter-database') return rewrite(text, (all) => all.replace(OF_DATABASE, '$1'));
  let changed = text;
  // MariaDB writes the head of a trigger as it was typed, with the name of the database where that was there.
  if (kind === 'trigger') changed = rewrite(changed, (all) => all.replace(TRIGGER_HEAD, '$1$2$3'));
  if (options.noOwner && definer !== null)
    changed = rewrite(changed, (all) => all.replace(DEFINER, 'DEFINER=CURRENT_USER'));
  return changed;
}

/** Byte for byte: what is none of the pattern stays as it is, whatever its encoding. */
function rewrite(text: Buffer, change: (all: string) => string): Buffer {
  const all = text.toString('latin1');
  const changed = change(all);
  return changed === all ? text : Buffer.from(changed, 'latin1');
}
