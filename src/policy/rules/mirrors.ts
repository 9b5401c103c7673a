import type { Diagnostic } from '../../errors.ts';
import { diagnose } from '../diagnose.ts';
import { encryptedRepositories } from '../encrypted-repositories.ts';
import type { PolicySet } from '../policy-set.ts';

/** What is mirrored stays as it is: no backup of it is encrypted. */
export function checkMirrors(set: PolicySet): readonly Diagnostic[] {
  const encrypting = encryptedRepositories(set);
  return set.targets.flatMap(({ name, document, path, value }) => {
    if (value.type !== 's3' || value.method !== 'mirror') return [];
    return set.backups.flatMap((backup) => {
      const { targets, repositories = [], encryption } = backup.value;
      if (!targets.includes(name)) return [];
      const repository = repositories.find((one) => encrypting.has(one));
      if (encryption === undefined && repository === undefined) return [];
      const whose = encryption === undefined ? `repository ${repository}` : `backup ${backup.name}`;
      return [
        diagnose(
          'BKP2074',
          { document, path: [...path, 'method'], part: 'value' },
          `the objects of ${name} stay as they are, and ${whose} asks for encryption`,
          '`method: archive` can be encrypted; or name repositories without `encryption`',
        ),
      ];
    });
  });
}
