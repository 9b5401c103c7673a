import type { Diagnostic } from '../../errors.ts';
import { diagnose } from '../diagnose.ts';
import type { PolicySet } from '../policy-set.ts';

/** What a connection string says already. */
const OF_SERVER = ['host', 'port', 'user', 'password', 'authDatabase', 'tls', 'tlsCa', 'tlsCertificateKey'] as const;

/** A MongoDB target is one database or a whole server, reached in one way; some keys mean something for one of both only. */
export function checkMongodb(set: PolicySet): readonly Diagnostic[] {
  return set.targets.flatMap(({ document, path, value }) => {
    if (value.type !== 'mongodb') return [];
    const at = (key: string) => ({ document, path: [...path, key], part: 'key' }) as const;
    const { database, databases, oplog, excludeCollections, uri } = value;
    const problems: Diagnostic[] = [];
    if (database === undefined && databases === undefined)
      problems.push(
        diagnose(
          'BKP2060',
          { document, path, part: 'key' },
          'which database?',
          'name it with `database`, or take all with `databases: all`',
        ),
      );
    if (database !== undefined && databases !== undefined)
      problems.push(
        diagnose('BKP2060', at('databases'), '`database` and `databases` cannot both stand here', 'keep one of them'),
      );
    if (oplog === true && databases === undefined)
      problems.push(
        diagnose(
          'BKP2065',
          at('oplog'),
          'mongodump takes the oplog with all databases only',
          'write `databases: all`, or leave `oplog` out',
        ),
      );
    if (excludeCollections !== undefined && database === undefined)
      problems.push(
        diagnose(
          'BKP2065',
          at('excludeCollections'),
          'mongodump leaves collections of one database out only',
          'name a `database`, or leave `excludeCollections` out',
        ),
      );
    const doubled = uri === undefined ? undefined : OF_SERVER.find((key) => value[key] !== undefined);
    if (doubled !== undefined)
      problems.push(
        diagnose('BKP2065', at(doubled), `\`${doubled}\` cannot stand beside \`uri\``, 'say it in the `uri`'),
      );
    return problems;
  });
}
