import { formatTable } from './table.ts';
import type { Paint } from './terminal.ts';

/** One program that bkp uses, as it was found on this machine. */
export interface ToolReport {
  readonly tool: string;
  readonly usedFor: string;
  readonly path: string | null;
  readonly version: string | null;
  /** The command that installs it. */
  readonly install: string;
  /** True for what a target of the policy needs. */
  readonly required: boolean;
  /** True for what bkp does without, more slowly. */
  readonly replaceable: boolean;
}

export interface ToolReports {
  readonly bkp: string;
  readonly node: string;
  readonly tools: readonly ToolReport[];
  /** What else people should know, one sentence each. */
  readonly warnings: readonly string[];
}

/** One line per program, and what to install for those that are missing. */
export function formatTools({ bkp, node, tools, warnings }: ToolReports, paint: Paint): string {
  const own = [
    ['ok', 'bkp', bkp, '', ''],
    ['ok', 'node', node.replace(/^v/, ''), '', ''],
  ];
  const rows = tools.map((tool) => [stateOf(tool), tool.tool, tool.version ?? '-', tool.usedFor, tool.path ?? '-']);
  const [head = '', ...lines] = formatTable([['STATE', 'TOOL', 'VERSION', 'USED FOR', 'PATH'], ...own, ...rows])
    .trimEnd()
    .split('\n');
  const painted = lines.map((line) =>
    line.replace(/^(ok|MISSING|absent)/, (word) => paint(word === 'ok' ? 'green' : 'red', word)),
  );
  const missing = tools
    .filter((tool) => tool.path === null)
    .map((tool) =>
      tool.replaceable
        ? `${paint('yellow', tool.tool)} makes ${tool.usedFor} possible; without it Node.js does it, on one core: ${tool.install}\n`
        : `${paint(tool.required ? 'red' : 'yellow', tool.tool)} is needed for ${tool.usedFor}: ${tool.install}\n`,
    );
  return `${[paint('bold', head), ...painted].join('\n')}\n${missing.join('')}${warnings.map((text) => `${paint('yellow', 'warning')} ${text}\n`).join('')}`;
}

const stateOf = ({ path, required }: ToolReport): string => (path !== null ? 'ok' : required ? 'MISSING' : 'absent');
