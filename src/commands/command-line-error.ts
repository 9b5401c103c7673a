import type { CommanderError } from 'commander';
import { usageError, type BkpError } from '../errors.ts';
import { COMMANDS } from './specs.ts';

/** What commander says about a wrong argument or flag, in the words and shape of every other error. */
export function commandLineError(error: CommanderError, argv: readonly string[]): BkpError {
  // `bkp help nonsense` shows the help again; what is wrong with it is said here.
  if (error.code === 'commander.help')
    return usageError(`cannot show help: unknown command "${argv.at(-1) ?? ''}"`, { hint: whereToLook([]) });
  const [, sentence = '', suggestion] = /^(?:error: )?([^\n]*?)\.?(?:\n\(Did you mean (.*)\?\))?$/s.exec(
    error.message.trim(),
  ) ?? ['', error.message];
  return usageError(`cannot read the command line: ${sentence.replaceAll("'", '"')}`, {
    hint: suggestion === undefined ? whereToLook(argv) : `did you mean ${suggestion}?`,
  });
}

function whereToLook(argv: readonly string[]): string {
  const command = COMMANDS.find(({ name }) => argv.includes(name));
  return command === undefined ? '`bkp --help` lists the commands' : `\`bkp help ${command.name}\` shows what it takes`;
}
