import type { Section } from './sections.ts';
import { tableKey } from '../server/table-key.ts';
import { unquoteIdentifier } from '../server/quote.ts';

const IDENTIFIER = String.raw`(?:"(?:[^"]|"")+"|[a-z_\u0080-\uffff][\w$\u0080-\uffff]*)`;
const MENTION = new RegExp(String.raw`(${IDENTIFIER})\.(${IDENTIFIER}|[^\w\s"'().,;]+)`, 'g');
/** Their names go on with arguments or with the access method. */
const HAS_ARGUMENTS = /^(?:FUNCTION|PROCEDURE|AGGREGATE|OPERATOR|OPERATOR CLASS|OPERATOR FAMILY)$/;
const NAMED_AFTER_TABLE = /^(?:CONSTRAINT|CHECK CONSTRAINT)$/;
const NO_OBJECT =
  /^(?:ACL|DEFAULT ACL|COMMENT|SECURITY LABEL|.* ATTACH|DEFAULT|.* DATA|FK CONSTRAINT|TRIGGER|RULE|POLICY)$/;

/**
 * Says what depends on what in a script, where pg_dump does not write it down: every name in it is qualified, so what a
 * statement mentions is what it needs. That may be more than it does need, as where a text looks like a name.
 */
export function openTextualDependencies(): {
  /** Takes a section with its statements; keeps their names only. */
  add(section: Section): void;
  /** The sections without statements, each with all it depends on. */
  end(): readonly Section[];
} {
  const sections: { readonly section: Section; readonly mentions: ReadonlySet<string> }[] = [];
  const ids = new Map<string, number[]>();
  const extensions: number[] = [];
  return {
    add(section) {
      const { id, type, schema } = section;
      const found = [...section.sql.matchAll(MENTION)].map(([, home = '', name = '']) =>
        tableKey(unquoteIdentifier(home), unquoteIdentifier(name)),
      );
      sections.push({
        section: { ...section, sql: type === 'FK CONSTRAINT' ? section.sql : '' },
        mentions: new Set(found),
      });
      if (type === 'EXTENSION') extensions.push(id);
      if (schema === '' || NO_OBJECT.test(type)) return;
      const key = tableKey(schema, ownName(section));
      ids.set(key, [...(ids.get(key) ?? []), id]);
    },
    end: () =>
      sections.map(({ section, mentions }) => {
        const mentioned = [...mentions].flatMap((key) => ids.get(key) ?? []);
        const all = new Set([...section.dependencies, ...mentioned, ...extensions]);
        all.delete(section.id);
        return { ...section, dependencies: [...all] };
      }),
  };
}

function ownName({ type, name }: Section): string {
  if (HAS_ARGUMENTS.test(type)) return name.split(/[ (]/)[0] ?? name;
  return NAMED_AFTER_TABLE.test(type) ? (name.split(' ').at(-1) ?? name) : name;
}
