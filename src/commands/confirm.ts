import { confirm, isCancel } from '@clack/prompts';
import { interruptedError, usageError } from '../errors.ts';
import type { CommandEnvironment } from './command.ts';
import type { OptionValues } from './option-values.ts';

/** Asks on a terminal; `--yes` answers, and elsewhere `--yes` is needed. False means the user said no. */
export async function confirmed(
  question: string,
  options: OptionValues,
  { terminal }: CommandEnvironment,
): Promise<boolean> {
  if (options.flag('yes')) return true;
  if (!terminal.inIsTerminal || !terminal.errIsTerminal) {
    throw usageError(`cannot ask "${question}": this is not a terminal`, {
      hint: 'give --yes, or a plan saved by `bkp plan --out`',
    });
  }
  const answer = await confirm({ message: question, initialValue: false });
  if (isCancel(answer)) throw interruptedError('cannot go on: the question was not answered');
  return answer;
}
