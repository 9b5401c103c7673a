import type { Diagnostic } from '../../errors.ts';
import { diagnose } from '../diagnose.ts';
import type { PolicySet } from '../policy-set.ts';

const SIGN_IN = ['username', 'apiKey', 'bearerToken'] as const;

/** An Elasticsearch target says in one way where its server is, and in at most one who connects. */
export function checkSearchServers(set: PolicySet): readonly Diagnostic[] {
  return set.targets.flatMap(({ document, path, value }) => {
    if (value.type !== 'elasticsearch') return [];
    const found: Diagnostic[] = [];
    if (value.url === undefined && value.cloudId === undefined)
      found.push(
        diagnose(
          'BKP2063',
          { document, path, part: 'key' },
          'which server?',
          'give its `url`, or the `cloudId` of a deployment',
        ),
      );
    if (value.url !== undefined && value.cloudId !== undefined)
      found.push(
        diagnose(
          'BKP2063',
          { document, path: [...path, 'cloudId'], part: 'key' },
          '`url` and `cloudId` cannot both stand here',
          'keep one of them',
        ),
      );
    const [first, second] = SIGN_IN.filter((key) => value[key] !== undefined);
    if (first !== undefined && second !== undefined)
      found.push(
        diagnose(
          'BKP2064',
          { document, path: [...path, second], part: 'key' },
          `\`${first}\` and \`${second}\` cannot both stand here`,
          'keep one of them',
        ),
      );
    return found;
  });
}
