import { readFileSync } from 'node:fs';
import { type BkpError, targetError } from '../../../errors.ts';
import type { ScriptChoice, ScriptSection } from './filter.ts';

const DATA = /^(?:TABLE DATA|SEQUENCE SET|BLOBS?|BLOB METADATA)$/;
/** Rights, comments and labels count with what they are of. */
const ABOUT = /^(?:ACL|COMMENT|SECURITY LABEL)$/;

const isData = ({ type, name }: ScriptSection): boolean =>
  DATA.test(type) || (ABOUT.test(type) && /^LARGE OBJECTS? /.test(name));

const isSubscription = ({ type, name }: ScriptSection): boolean =>
  type.startsWith('SUBSCRIPTION') || (ABOUT.test(type) && name.startsWith('SUBSCRIPTION '));

/** Around large objects pg_dump writes a transaction of its own, which would end the one that everything goes into. */
const ENDS_TRANSACTION = /^(?:BEGIN|COMMIT);$/;
const GIVES_AWAY = /^ALTER .* OWNER TO .*;$/s;

type Test = (section: ScriptSection) => boolean;

const SECTIONS: Readonly<Record<string, Test>> = {
  '--schema-only': (section) => !isData(section),
  '--data-only': isData,
  '--no-subscriptions': (section) => !isSubscription(section),
};
/** A script is what they ask for already. */
const NATURAL = new Set([
  '--list',
  '--verbose',
  '--create',
  '--file=-',
  '--no-owner',
  '--exit-on-error',
  '--single-transaction',
]);

/** What pg_restore would write of an archive under these options, for a script. Throws `target` for one that it cannot do. */
export function choiceOf(options: readonly string[]): ScriptChoice {
  const tests = options.flatMap((option): readonly Test[] => {
    const test = SECTIONS[option];
    if (test !== undefined) return [test];
    const list = /^--use-list=(.*)$/s.exec(option)?.[1];
    if (list !== undefined) return [inList(list)];
    if (NATURAL.has(option)) return [];
    throw targetError(`cannot read the script with ${option}: only archives can be read that way`, {
      hint: 'restore the whole script into a new database',
    });
  });
  const withoutOwner = options.includes('--no-owner');
  const byNumber = options.some((option) => /^--(?:verbose|list|use-list=.*)$/s.test(option));
  return {
    section(section) {
      if (byNumber && section.id === 0) throw unnumberedError();
      return tests.every((test) => test(section));
    },
    statement: (line, { type }) =>
      !(type === 'BLOBS' && ENDS_TRANSACTION.test(line)) && !(withoutOwner && GIVES_AWAY.test(line)),
  };
}

/** Scripts of bkp are verbose; one that was adopted need not be. */
const unnumberedError = (): BkpError =>
  targetError('cannot take a part of the script: its objects have no numbers', {
    hint: 'only `pg_dump --verbose` numbers them; restore the whole script into a new database',
  });

/** The ids that a file for pg_restore lists, one a line. */
function inList(path: string): Test {
  const lines = readFileSync(path, 'utf8').split('\n');
  const ids = new Set(lines.filter((line) => !line.startsWith(';')).map((line) => Number.parseInt(line, 10)));
  return ({ id }) => ids.has(id);
}

/** A line as pg_restore lists it. */
export const listLine = ({ id, catalog, type, schema, name, owner }: ScriptSection): string =>
  `${id}; ${catalog.replace('OID ', '')} ${type} ${schema} ${name} ${owner === '-' ? '' : owner}`;
