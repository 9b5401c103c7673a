import type { Encryption } from '../../generated/policy.ts';
import { recipientProblem } from '../../encryption/recipient.ts';
import type { Diagnostic } from '../../errors.ts';
import { diagnose } from '../diagnose.ts';
import type { PolicyDocument } from '../document.ts';
import type { Path } from '../locate.ts';
import type { PolicySet } from '../policy-set.ts';
import { holdsReference } from '../reference-syntax.ts';

/** What artifacts are encrypted to are public keys, and there is one. */
export function checkEncryption(set: PolicySet): readonly Diagnostic[] {
  return [...set.repositories, ...set.backups].flatMap(({ value, document, path }) =>
    'encryption' in value && value.encryption !== undefined
      ? inOne(value.encryption, document, [...path, 'encryption'])
      : [],
  );
}

function inOne(
  { recipients, recipientsFile }: Encryption,
  document: PolicyDocument,
  path: Path,
): readonly Diagnostic[] {
  if (recipients === undefined && recipientsFile === undefined) {
    const hint = 'name `recipients` or a `recipientsFile`; `bkp keygen age` makes a key pair';
    return [diagnose('BKP2071', { document, path, part: 'key' }, 'encryption without a recipient', hint)];
  }
  return (recipients ?? []).flatMap((recipient, index) => {
    const problem = holdsReference(recipient) ? undefined : recipientProblem(recipient);
    if (problem === undefined) return [];
    const place = { document, path: [...path, 'recipients', index], part: 'value' } as const;
    const hint = 'a public key: age1…, ssh-ed25519 … or ssh-rsa …';
    return [diagnose('BKP2070', place, `not a recipient: ${problem}`, hint)];
  });
}
