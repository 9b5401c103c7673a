import type { Context } from '../context.ts';
import { BkpError, integrityError, reasonOf, toolError } from '../errors.ts';
import { sealInNode, unsealInNode } from './age-library.ts';
import { chooseDecryption, chooseEncryption, identityMissing, identityWrong, saysWrongIdentity } from './cipher.ts';

/** Encrypts a short text to recipients; the result is text too (age's armor). */
export async function sealText(text: string, recipients: readonly string[], context: Context): Promise<string> {
  const cipher = chooseEncryption(recipients, context);
  if (cipher.kind === 'library') return sealInNode(text, recipients);
  const [program, ...rest] = cipher.process.argv;
  const { exitCode, stdout, stderr } = await context.run({ argv: [program, '-a', ...rest] }, { stdin: text });
  if (exitCode !== 0) throw toolError(`cannot encrypt with age: ${lastLine(stderr)}`);
  return stdout;
}

/**
 * Decrypts it with the identities of the run. Throws `usage`, naming the recipients, when there is none or none fits;
 * `integrity` when the text is damaged.
 */
export async function unsealText(
  sealed: string,
  { subject, recipients }: { readonly subject: string; readonly recipients: readonly string[] },
  context: Context,
): Promise<string> {
  const { identities } = context;
  if (identities === undefined) throw identityMissing(subject, recipients);
  const cipher = chooseDecryption(subject, context);
  if (cipher.kind === 'library') {
    return unsealInNode(sealed, identities.keys).catch((error: unknown) => {
      throw unsealError(reasonOf(error), subject, recipients);
    });
  }
  const { exitCode, stdout, stderr } = await context.run(cipher.process, { stdin: sealed });
  if (exitCode !== 0) throw unsealError(lastLine(stderr), subject, recipients);
  return stdout;
}

function unsealError(said: string, subject: string, recipients: readonly string[]): BkpError {
  if (saysWrongIdentity(said)) return identityWrong(subject, recipients);
  if (/passphrase|identity|ssh/i.test(said)) return toolError(`cannot use the identity for ${subject}: ${said}`);
  return integrityError(`cannot decrypt ${subject}: ${said}`);
}

const lastLine = (stderr: string): string =>
  stderr
    .split('\n')
    .find((line) => line.startsWith('age: error:'))
    ?.replace('age: error: ', '') ?? stderr.trim();
