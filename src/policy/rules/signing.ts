import type { Diagnostic } from '../../errors.ts';
import { publicKeyProblem } from '../../signing/ed25519-key.ts';
import { diagnose } from '../diagnose.ts';
import { policyData, recordOf, type PolicySet } from '../policy-set.ts';

/** What signatures are checked with are public keys. */
export function checkSigning({ main }: PolicySet): readonly Diagnostic[] {
  const keys: unknown = recordOf(policyData(main).signing)['publicKeys'];
  if (!Array.isArray(keys)) return [];
  return keys.flatMap((key: unknown, index) => {
    const problem = typeof key === 'string' ? publicKeyProblem(key) : undefined;
    if (problem === undefined) return [];
    const place = { document: main, path: ['signing', 'publicKeys', index], part: 'value' } as const;
    const hint = 'the line that `bkp keygen signing` prints: ed25519:…';
    return [diagnose('BKP2080', place, `not a key to check signatures with: ${problem}`, hint)];
  });
}
