import type { Context } from '../context.ts';
import { guardError, reasonOf, BkpError } from '../errors.ts';
import { readSigningKey, type SigningKey } from './ed25519-key.ts';

/** Whose signatures count for a run, and what it signs with. */
export interface Signing {
  /** Nothing counts that was not signed with the private half of one of them. */
  readonly publicKeys: readonly string[];
  /** Throws `guard` where the run has no usable private key: it may read, and write nothing that must be signed. */
  key(): SigningKey;
  /** The same, or undefined where there is none: for what need not be signed. */
  keyIfThere(): SigningKey | undefined;
}

/** `readKey` gives the text of the private key, or throws why it cannot be had; it is asked for the first signature only. */
export function signingWith(publicKeys: readonly string[], readKey: () => string | undefined): Signing {
  let known: SigningKey | undefined;
  const key = (): SigningKey => {
    known ??= usableKey(publicKeys, readKey);
    return known;
  };
  return {
    publicKeys,
    key,
    keyIfThere: () => {
      try {
        return key();
      } catch (error) {
        if (error instanceof BkpError) return undefined;
        throw error;
      }
    },
  };
}

/** A context that trusts and signs, as also those that are derived of it. */
export const withSigning = (context: Context, signing: Signing): Context => ({
  ...context,
  signing,
  withSignal: (signal) => withSigning(context.withSignal(signal), signing),
});

function usableKey(publicKeys: readonly string[], readKey: () => string | undefined): SigningKey {
  const refuse = (reason: string, hint: string): Error => guardError(`cannot sign snapshots: ${reason}`, { hint });
  try {
    const text = readKey();
    if (text === undefined)
      throw refuse(
        'the policy names `signing.publicKeys` and no `signing.privateKey`',
        'what is not signed would not count: name a private key, `privateKey: ${file:signing.key}`',
      );
    const key = readSigningKey(text);
    if (!publicKeys.includes(key.publicKey))
      throw refuse(
        'the public half of `signing.privateKey` is not among `signing.publicKeys`',
        `add ${key.publicKey} to \`publicKeys\``,
      );
    return key;
  } catch (error) {
    if (error instanceof BkpError && error.code === 'guard') throw error;
    throw refuse(
      reasonOf(error),
      'reading, planning and restoring need no private key; capturing, copying, marking and pruning do',
    );
  }
}
