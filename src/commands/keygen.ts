import { makeKeyPair } from '../encryption/age-library.ts';
import { EXIT, guardError, usageError } from '../errors.ts';
import { writeNewFile } from '../system/write-new-file.ts';
import type { CommandRun } from './command.ts';

/** `bkp keygen age FILE`: the private key into a new file for its owner only, the public one to the result stream. */
export const keygenCommand: CommandRun = async ([kind = '', file = ''], options, { terminal }) => {
  if (kind !== 'age') throw usageError(`cannot make a key of kind ${kind}: there is age`);
  const { identity, recipient } = await makeKeyPair();
  if (!(await writeNewFile(file, `# public key: ${recipient}\n${identity}\n`, true)))
    throw guardError(`cannot write ${file}: it exists`, {
      hint: 'a private key is never overwritten: name another file',
    });
  if (options.text('format') === 'json')
    terminal.out(`${JSON.stringify({ formatVersion: 1, recipient, file }, null, 2)}\n`);
  else {
    terminal.out(`${recipient}\n`);
    terminal.err(
      `The private key is in ${file}. Keep a copy away from this machine and its backups: without it nothing opens.\n`,
    );
  }
  return EXIT.done;
};
