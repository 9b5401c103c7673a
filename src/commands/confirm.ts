import { interruptedError, usageError } from '../errors.ts';
import type { CommandEnvironment } from './command.ts';
import type { OptionValues } from './option-values.ts';

/** True when a question can be answered by a person here. */
export const canAsk = ({ terminal }: CommandEnvironment): boolean => terminal.inIsTerminal && terminal.errIsTerminal;

/**
 * Asks on a terminal; `--yes` answers, and elsewhere `--yes` is needed. False means the user said no, which is said on the
 * error stream.
 */
export async function confirmed(
  question: string,
  options: OptionValues,
  environment: CommandEnvironment,
  hint = 'give --yes to go on without being asked',
): Promise<boolean> {
  if (options.flag('yes')) return true;
  if (!canAsk(environment)) throw usageError(`cannot ask "${question}": this is not a terminal`, { hint });
  const { askYesOrNo } = await import('../system/ask.ts');
  const answer = await askYesOrNo(question);
  if (answer === undefined) throw interruptedError('cannot go on: the question was not answered');
  if (!answer) environment.terminal.err('Nothing was changed.\n');
  return answer;
}
