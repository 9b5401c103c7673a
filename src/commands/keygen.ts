import { makeKeyPair } from '../encryption/age-library.ts';
import { EXIT, guardError, usageError } from '../errors.ts';
import { makeSigningKeys } from '../signing/ed25519-key.ts';
import { writeNewFile } from '../system/write-new-file.ts';
import type { CommandRun } from './command.ts';

interface NewKeys {
  readonly privateKey: string;
  readonly publicKey: string;
  /** The key of the policy that the public half goes into; names it in JSON. */
  readonly goesInto: 'recipient' | 'publicKey';
  readonly advice: string;
}

/** `bkp keygen age|signing FILE`: the private key into a new file for its owner only, the public one to the result stream. */
export const keygenCommand: CommandRun = async ([kind = '', file = ''], options, { terminal }) => {
  const { privateKey, publicKey, goesInto, advice } = await makeKeys(kind);
  if (!(await writeNewFile(file, `# public key: ${publicKey}\n${privateKey}\n`, true)))
    throw guardError(`cannot write ${file}: it exists`, {
      hint: 'a private key is never overwritten: name another file',
    });
  if (options.text('format') === 'json')
    terminal.out(`${JSON.stringify({ formatVersion: 1, [goesInto]: publicKey, file }, null, 2)}\n`);
  else {
    terminal.out(`${publicKey}\n`);
    terminal.err(`The private key is in ${file}. ${advice}\n`);
  }
  return EXIT.done;
};

async function makeKeys(kind: string): Promise<NewKeys> {
  if (kind === 'age') {
    const { identity, recipient } = await makeKeyPair();
    const advice = 'Keep a copy away from this machine and its backups: without it nothing opens.';
    return { privateKey: identity, publicKey: recipient, goesInto: 'recipient', advice };
  }
  if (kind === 'signing') {
    const advice =
      'Runners that capture, copy and prune need it; whoever has it can sign. The public key belongs into the policy.';
    return { ...makeSigningKeys(), goesInto: 'publicKey', advice };
  }
  throw usageError(`cannot make a key of kind ${kind}: there are age and signing`);
}
