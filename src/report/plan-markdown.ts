import { groupNotices, othersText } from './notice-groups.ts';
import { formatInstant } from '../reconcile/phrases.ts';
import type { Plan } from '../reconcile/step.ts';
import { describeFilters, describeStep, destinationLines, groupSteps, SYMBOLS, totals } from './plan-parts.ts';

/** GitHub cuts comments at 65,536 characters; this stays below with room for what a pipeline adds. */
const LIMIT = 60_000;

/** A plan as a pull-request comment; the hidden first line lets a pipeline update the same comment. */
export function formatPlanMarkdown(plan: Plan): string {
  const lines = [
    `<!-- bkp:plan policy=${plan.policy.path} name=${plan.policy.name} -->`,
    `## bkp plan (${plan.policy.name}): ${plan.steps.length === 0 ? 'no changes' : totals(plan)}`,
    ...warning(plan),
    ...(describeFilters(plan) === '' ? [] : ['', `Filtered: ${describeFilters(plan)}.`]),
    ...notices(plan),
    ...stepTable(plan),
    ...withheldTable(plan),
    '',
    `Policy \`${plan.policy.sha256.slice(0, 12)}\`, planned ${formatInstant(plan.generatedAt)}${plan.at === null ? '' : ' for another moment: cannot be applied'}.`,
  ];
  return cut(`${lines.join('\n')}\n`);
}

function warning(plan: Plan): readonly string[] {
  if (plan.summary.destructive === 0) return [];
  const what = groupSteps(plan.steps.filter((step) => step.destructive)).map(
    ({ first, steps }) => `${first.action} ${steps.length} x \`${first.address}\``,
  );
  return ['', '> [!WARNING]', `> **${plan.summary.destructive} destructive**: ${what.join(', ')}.`];
}

function notices(plan: Plan): readonly string[] {
  const all = [
    ...plan.errors.map((notice) => ['Error', notice.message]),
    ...groupNotices(plan.warnings).map((group) => [
      'Note',
      [group.first.message, othersText(group)].filter((part) => part !== undefined).join(', '),
    ]),
  ];
  return all.length === 0 ? [] : ['', ...all.map(([label, message]) => `- **${label}**: ${inline(message ?? '')}`)];
}

function stepTable(plan: Plan): readonly string[] {
  if (plan.steps.length === 0) return [];
  const rows = groupSteps(plan.steps).map(({ first, steps }) => {
    const where = first.source === null ? '' : `${first.source.file}:${first.source.line}`;
    return `| \`${SYMBOLS[first.action]}\` | ${first.action} | \`${first.address}\` | ${inline([describeStep(first, steps.length), ...destinationLines(first)].join('; '))} | ${first.reason.code}: ${inline(first.reason.message)} | ${where} |`;
  });
  return ['', '| | Action | Address | What | Why | Rule |', '|-|-|-|-|-|-|', ...rows];
}

function withheldTable(plan: Plan): readonly string[] {
  if (plan.withheld.length === 0) return [];
  const rows = plan.withheld.map(
    (entry) =>
      `| ${entry.action} | \`${entry.address}\` | ${entry.snapshot ?? ''} | ${entry.reason.code}: ${inline(entry.reason.message)} |`,
  );
  return [
    '',
    `<details><summary>${plan.withheld.length} withheld</summary>`,
    '',
    '| Action | Address | Snapshot | Why |',
    '|-|-|-|-|',
    ...rows,
    '',
    '</details>',
  ];
}

/** Text inside a table cell: no pipes, no line breaks, no markup. */
const inline = (text: string): string => text.replaceAll(/[\r\n]+/g, ' ').replaceAll(/[|<>*_[\]\\]/g, String.raw`\$&`);

function cut(text: string): string {
  if (text.length <= LIMIT) return text;
  const head = text.slice(0, text.lastIndexOf('\n', LIMIT - 5_000));
  const tail = text.slice(text.indexOf('\n', text.length - 4_000));
  return `${head}\n\n… cut: the whole plan has ${text.length.toLocaleString('en')} characters …\n${tail}`;
}
