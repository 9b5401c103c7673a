import type { Diagnostic } from '../../errors.ts';
import { diagnose } from '../diagnose.ts';
import type { PolicySet } from '../policy-set.ts';

/** A target of a server of databases names one database or several; what means one cannot stand beside what means several. */
export function checkDatabases(set: PolicySet): readonly Diagnostic[] {
  return set.targets.flatMap(({ document, path, value }) => {
    if (value.type !== 'postgres' && value.type !== 'mysql') return [];
    const { database, databases, excludeDatabases } = value;
    const at = (key: string) => ({ document, path: [...path, key], part: 'key' }) as const;
    if (database === undefined && databases === undefined) {
      const place = { document, path, part: 'key' } as const;
      return [
        diagnose(
          'BKP2060',
          place,
          'which database?',
          'name it with `database`, several with `databases`, or all with `databases: all`',
        ),
      ];
    }
    if (database !== undefined && databases !== undefined)
      return [
        diagnose('BKP2060', at('databases'), '`database` and `databases` cannot both stand here', 'keep one of them'),
      ];
    if (excludeDatabases !== undefined && databases !== 'all')
      return [
        diagnose(
          'BKP2061',
          at('excludeDatabases'),
          'nothing to leave out: `databases` is not `all`',
          'write `databases: all`, or leave `excludeDatabases` out',
        ),
      ];
    return [];
  });
}
