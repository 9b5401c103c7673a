import { confirm, isCancel } from '@clack/prompts';

/**
 * Asks a yes-or-no question; no is the answer of a bare Enter. Undefined when it was left with Ctrl-C. On the error stream,
 * because the result stream belongs to results.
 */
export async function askYesOrNo(question: string): Promise<boolean | undefined> {
  // A pseudo terminal whose size nobody set says 0, and would get one letter per line.
  for (const stream of [process.stdout, process.stderr]) if (stream.columns === 0) stream.columns = 80;
  const answer = await confirm({ message: question, initialValue: false, output: process.stderr });
  return isCancel(answer) ? undefined : answer;
}
