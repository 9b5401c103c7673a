import { confirm, isCancel } from '@clack/prompts';

/**
 * Asks a yes-or-no question; no is the answer of a bare Enter. Undefined when it was left with Ctrl-C. On the error stream,
 * because the result stream belongs to results.
 */
export async function askYesOrNo(question: string): Promise<boolean | undefined> {
  const answer = await confirm({ message: question, initialValue: false, output: process.stderr });
  return isCancel(answer) ? undefined : answer;
}
