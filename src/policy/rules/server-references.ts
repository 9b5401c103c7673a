import type { Diagnostic } from '../../errors.ts';
import { diagnose } from '../diagnose.ts';
import { encryptedRepositories } from '../encrypted-repositories.ts';
import { leavesReferences } from '../leaves-references.ts';
import { settingPath, type PolicySet } from '../policy-set.ts';

/** What stays with a server has one copy, whatever repositories know of it, and nobody encrypts it. */
export function checkServerReferences(set: PolicySet): readonly Diagnostic[] {
  const left = new Set(set.targets.flatMap(({ name, value }) => (leavesReferences(value) ? [name] : [])));
  const encrypted = encryptedRepositories(set);
  return set.backups.flatMap((entry) => {
    const { targets, repositories = [], encryption } = entry.value;
    const [target] = (targets ?? []).filter((name) => left.has(name));
    if (target === undefined) return [];
    const at = (key: string) => ({ document: entry.document, path: settingPath(entry, key), part: 'key' }) as const;
    const found: Diagnostic[] = [];
    const where = encryption !== undefined ? 'here' : repositories.find((name) => encrypted.has(name));
    if (where !== undefined)
      found.push(
        diagnose(
          'BKP2073',
          at(where === 'here' ? 'encryption' : 'repositories'),
          `backup "${entry.name}" is encrypted, but the data of "${target}" stays with its server as it is`,
          'let the server encrypt its repository, or use `method: export`; a backup of its own may go unencrypted',
        ),
      );
    if (repositories.length > 1)
      found.push(
        diagnose(
          'BKP2043',
          at('repositories'),
          `backup "${entry.name}" has one copy only of "${target}": every repository knows where it is, none has it`,
          'copy the repository of the server elsewhere, or add a target with `method: export`',
        ),
      );
    return found;
  });
}
