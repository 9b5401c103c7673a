import type { Diagnostic } from '../../errors.ts';
import { TARGET_FACTS } from '../../generated/schema-facts.ts';
import { diagnose } from '../diagnose.ts';
import { didYouMean } from '../did-you-mean.ts';
import type { PolicySet } from '../policy-set.ts';

/** Checks ask one thing each, of a target the backup captures, in a language its engine understands. */
export function checkChecks(set: PolicySet): readonly Diagnostic[] {
  const types = new Map(set.targets.map(({ name, value }) => [name, value.type]));
  const several = new Set(
    set.targets.flatMap(({ name, value }) =>
      (value.type === 'postgres' || value.type === 'mysql') && value.databases !== undefined ? [name] : [],
    ),
  );
  return set.backups.flatMap(({ name, value, document, path }) =>
    Object.entries(value.checks ?? {}).flatMap(([target, checks]) => {
      const at = [...path, 'checks', target];
      if (!value.targets.includes(target)) {
        const message = `backup "${name}" does not capture "${target}"${didYouMean(target, value.targets)}`;
        return [
          diagnose('BKP2022', { document, path: at, part: 'key' }, message, `targets: ${value.targets.join(', ')}`),
        ];
      }
      const type = types.get(target);
      return checks.flatMap((check, index) => {
        const place = { document, path: [...at, index], part: 'value' } as const;
        if ((check.sql === undefined) === (check.facts === undefined)) {
          const message =
            check.sql === undefined ? 'a check needs `sql` or `facts`' : 'a check has `sql` or `facts`, not both';
          return [
            diagnose('BKP2020', place, message, 'for example { sql: "SELECT count(*) FROM events", expect: "> 0" }'),
          ];
        }
        if (check.sql === undefined || type === undefined) return [];
        const wrong = { ...place, path: [...at, index, 'sql'], part: 'key' } as const;
        if (several.has(target))
          return [
            diagnose(
              'BKP2021',
              wrong,
              `"${target}" is several databases, and SQL is asked of one`,
              'make the database a target of its own, or ask facts: { facts: tables.kong.public.events, expect: "> 0" }',
            ),
          ];
        if (TARGET_FACTS[type].sql) return [];
        return [
          diagnose(
            'BKP2021',
            wrong,
            `a ${type} target has no SQL`,
            'ask its facts instead, for example { facts: entries, expect: "> 0" }',
          ),
        ];
      });
    }),
  );
}
