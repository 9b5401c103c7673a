import type { Diagnostic } from '../../errors.ts';
import { diagnose, type Place } from '../diagnose.ts';
import type { Target } from '../../generated/policy.ts';
import type { Entry, PolicySet } from '../policy-set.ts';

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
    found.push(...methodProblems(value, { document, path }));
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

/** What only one of the two methods knows. */
function methodProblems(
  value: Extract<Target, { type: 'elasticsearch' }>,
  { document, path }: Pick<Entry<Target>, 'document' | 'path'>,
): readonly Diagnostic[] {
  const { method, snapshotRepository, versions } = value;
  const at = (key: string): Place => ({ document, path: [...path, key], part: 'key' });
  const isSnapshot = method === 'snapshot';
  const found: Diagnostic[] = [];
  if (isSnapshot && snapshotRepository === undefined)
    found.push(
      diagnose(
        'BKP2067',
        at('method'),
        'a snapshot needs a repository of the server',
        'name it under `snapshotRepository`; `curl $URL/_snapshot` lists those that are registered',
      ),
    );
  if (!isSnapshot && snapshotRepository !== undefined)
    found.push(
      diagnose(
        'BKP2067',
        at('snapshotRepository'),
        'an export goes into no repository of the server',
        'say `method: snapshot`, or leave this out',
      ),
    );
  for (const key of ['featureStates', 'globalState'] as const)
    if (!isSnapshot && value[key] !== undefined)
      found.push(
        diagnose('BKP2067', at(key), `an export has no \`${key}\``, 'say `method: snapshot`, or leave this out'),
      );
  if (isSnapshot && versions !== undefined)
    found.push(diagnose('BKP2067', at('versions'), 'a snapshot of the server holds all versions', 'leave this out'));
  if (snapshotRepository?.settings !== undefined && snapshotRepository.type === undefined)
    found.push(
      diagnose(
        'BKP2067',
        at('snapshotRepository'),
        '`settings` say nothing without a `type`',
        'give the `type`, or leave out the `settings`',
      ),
    );
  return found;
}
