import { EXIT, type ExitCode } from '../errors.ts';
import type { Plan } from '../reconcile/step.ts';
import { formatPlanGithub } from '../report/plan-github.ts';
import { formatPlanMarkdown } from '../report/plan-markdown.ts';
import { formatPlanText } from '../report/plan-text.ts';
import { writeNewOrReplace } from '../system/write-file.ts';
import type { CommandEnvironment } from './command.ts';
import type { OptionValues } from './option-values.ts';

/** A plan as it is saved and printed for machines. */
export const planJson = (made: Plan): string => `${JSON.stringify(made, null, 2)}\n`;

/** Writes `--json-into` and `--markdown-into`. */
export async function writePlanFiles(made: Plan, options: OptionValues): Promise<void> {
  const json = options.text('jsonInto');
  const markdown = options.text('markdownInto');
  if (json !== undefined) await writeNewOrReplace(json, planJson(made));
  if (markdown !== undefined) await writeNewOrReplace(markdown, formatPlanMarkdown(made));
}

export function printPlan(made: Plan, format: string, { terminal }: CommandEnvironment): void {
  if (format === 'json') terminal.out(planJson(made));
  else if (format === 'markdown') terminal.out(formatPlanMarkdown(made));
  else if (format === 'github') terminal.out(formatPlanGithub(made));
  else terminal.out(formatPlanText(made, terminal.paint));
}

/** 7 where a repository could not be read, 6 where one belongs to another policy, 2 for changes when asked. */
export function planExitCode(made: Plan, detailed: boolean): ExitCode {
  const codes = made.errors.map((notice) => notice.code);
  if (codes.includes('repository-unavailable')) return EXIT.partly;
  if (codes.length > 0) return EXIT.guarded;
  return detailed && made.steps.length > 0 ? EXIT.pending : EXIT.done;
}
