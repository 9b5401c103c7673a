import type { Diagnostic } from '../../errors.ts';
import { diagnose } from '../diagnose.ts';
import type { PolicySet } from '../policy-set.ts';

/** Files for a stopped Redis server need a folder, and what only they need means nothing elsewhere. */
export function checkServerFiles(set: PolicySet): readonly Diagnostic[] {
  return set.targets.flatMap(({ document, path, value }) => {
    if (value.type !== 'redis') return [];
    const { method, directory, appendOnly } = value;
    const problem = (key: string, message: string, hint: string): readonly Diagnostic[] => [
      diagnose('BKP2066', { document, path: [...path, key], part: 'key' }, message, hint),
    ];
    if (method === 'file' && directory === undefined)
      return problem('method', 'into which folder?', 'name the data folder of the server with `directory`');
    if (appendOnly !== undefined && directory === undefined)
      return problem('appendOnly', 'there is no `directory` with append-only files', 'leave it out');
    return [];
  });
}
