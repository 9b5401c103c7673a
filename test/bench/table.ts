import { cpus, totalmem } from 'node:os';
import type { CaseResult, SideResult, Verdict } from './case.ts';
import { spreadOf } from './statistics.ts';

export interface FinishedCase {
  readonly name: string;
  readonly title: string;
  /** Null where the case could not run; `problem` says why then. */
  readonly result: CaseResult | null;
  readonly problem: string | null;
}

export interface Report {
  readonly formatVersion: 1;
  readonly date: string;
  readonly machine: string;
  readonly runs: number;
  readonly cases: readonly FinishedCase[];
}

/** Size of this machine, without its name. */
export const describeMachine = (): string =>
  `${cpus().length} CPU (${cpus()[0]?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;

export const isMet = ({ values, atMost }: Verdict): boolean => atMost === null || spreadOf(values).median <= atMost;

/** The report as Markdown: goals first, then what was measured. */
export function formatReport(report: Report): string {
  const lines = [
    `${report.date.slice(0, 10)}, ${report.machine}; median (min-max) of ${report.runs} runs, sides in turn.`,
    '',
    '| case | ratio or number | measured | goal | met |',
    '|---|---|---|---|---|',
    ...report.cases.flatMap(({ name, result, problem }) =>
      result === null
        ? [`| ${name} | did not run: ${problem} | | | no |`]
        : result.verdicts.map((verdict) => verdictRow(name, verdict)),
    ),
    '',
    '| case | side | wall s | CPU s | largest process MiB | Node MiB |',
    '|---|---|---|---|---|---|',
    ...report.cases.flatMap(({ name, result }) => result?.sides.map((side) => sideRow(name, side)) ?? []),
    '',
    ...report.cases.map(({ name, title }) => `- \`${name}\`: ${title}`),
  ];
  return `${lines.join('\n')}\n`;
}

function verdictRow(name: string, verdict: Verdict): string {
  const { label, values, unit, atMost } = verdict;
  const goal = atMost === null ? '' : `<= ${number(atMost)} ${unit}`;
  return `| ${name} | ${label} | ${spread(values)} ${unit} | ${goal} | ${atMost === null ? '' : isMet(verdict) ? 'yes' : 'no'} |`;
}

function sideRow(name: string, { name: side, samples }: SideResult): string {
  const node = samples.flatMap(({ nodeRssMiB }) => (nodeRssMiB === null ? [] : [nodeRssMiB]));
  const cells = [
    spread(samples.map(({ wallMs }) => wallMs / 1000)),
    number(spreadOf(samples.map(({ cpuMs }) => cpuMs / 1000)).median),
    number(spreadOf(samples.map(({ rssMiB }) => rssMiB)).max),
    node.length === 0 ? '' : number(spreadOf(node).max),
  ];
  return `| ${name} | ${side} | ${cells.join(' | ')} |`;
}

function spread(values: readonly number[]): string {
  const { median, min, max } = spreadOf(values);
  return values.length < 2 ? number(median) : `${number(median)} (${number(min)}-${number(max)})`;
}

function number(value: number): string {
  if (value >= 100 || Number.isInteger(value)) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1);
  return value >= 1 ? value.toFixed(2) : value.toPrecision(2);
}
