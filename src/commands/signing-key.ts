import { resolve } from 'node:path';
import { BkpError, reasonOf, type Diagnostic } from '../errors.ts';
import { diagnosePosition } from '../policy/diagnose.ts';
import { splitReferences } from '../policy/reference-syntax.ts';
import { resolveSigningKey } from '../policy/references.ts';
import type { ResolvedPolicy, ResolvedSigning } from '../policy/resolved-policy.ts';
import { readSigningKey } from '../signing/ed25519-key.ts';
import { secretFileState, systemLookups } from '../system/lookups.ts';

/**
 * What is wrong with the private key of a policy, as far as this machine has it: one that is not here is no problem, since
 * most who check a policy must not have it.
 */
export function examineSigningKey({ signing }: ResolvedPolicy): readonly Diagnostic[] {
  if (signing?.privateKey === undefined) return [];
  const at = signing.sources?.['privateKey'] ?? signing.source;
  const files = filesOf(signing, signing.privateKey);
  if (files.some((path) => secretFileState(path) === 'absent')) return [];
  const open = files
    .filter((path) => secretFileState(path) === 'open')
    .map((path) =>
      diagnosePosition(
        'BKP2082',
        at,
        `private key ${path} can be read by others`,
        `chmod 600 ${path}; make a new one where that was for long`,
      ),
    );
  const problem = keyProblem(signing);
  return problem === null ? open : [...open, diagnosePosition('BKP2081', at, problem.message, problem.hint)];
}

function keyProblem(signing: ResolvedSigning): { readonly message: string; readonly hint: string | null } | null {
  const text = lookedUp(signing);
  if (text === undefined) return null;
  try {
    const { publicKey } = readSigningKey(text);
    if (signing.publicKeys.includes(publicKey)) return null;
    return {
      message: 'the public half of `signing.privateKey` is not among `publicKeys`',
      hint: `what it signs would not count: add ${publicKey}`,
    };
  } catch (error) {
    return { message: reasonOf(error), hint: error instanceof BkpError ? (error.hint ?? null) : null };
  }
}

/** Undefined where this machine does not have it. */
function lookedUp(signing: ResolvedSigning): string | undefined {
  try {
    return resolveSigningKey(signing, { ...systemLookups, onSecrets: () => undefined });
  } catch (error) {
    if (error instanceof BkpError) return undefined;
    throw error;
  }
}

const filesOf = ({ directory }: ResolvedSigning, text: string): readonly string[] =>
  splitReferences(text).flatMap((part) => (part.kind === 'file' ? [resolve(directory, part.path)] : []));
