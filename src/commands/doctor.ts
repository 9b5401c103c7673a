import { ENGINES } from '../engines/registry.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../errors.ts';
import { formatTable } from '../report/table.ts';
import { openEdge } from '../system/edge.ts';
import type { CommandRun } from './command.ts';

interface ToolReport {
  readonly tool: string;
  readonly usedFor: string;
  readonly path: string | null;
  readonly version: string | null;
  readonly install: string;
  /** False for what bkp does without, more slowly. */
  readonly required: boolean;
}

const ZSTD = { tool: 'zstd', versionArgv: ['--version'], debianPackage: 'zstd', homebrewPackage: 'zstd' };

/** Tools, versions and what is missing, with the package to install. Exit 6 when a required tool is missing. */
export const doctorCommand: CommandRun = async (_args, options, { terminal, signal, bkpVersion }) => {
  const { edge, dispose } = await openEdge({ signal, emit: () => undefined });
  try {
    const context = edge.context.withSignal(signal);
    const needs = Object.values(ENGINES).flatMap(({ type, capabilities }) =>
      capabilities.tools.map((need) => ({ need, usedFor: `${type} targets`, required: true })),
    );
    const reports: ToolReport[] = [];
    for (const { need, usedFor, required } of [
      { need: ZSTD, usedFor: 'fast compression (Node does it without, on one core)', required: false },
      ...needs,
    ]) {
      const install =
        context.host.platform === 'darwin'
          ? `brew install ${need.homebrewPackage}`
          : `apt-get install ${need.debianPackage}`;
      const path = context.findTool(need.tool) ?? null;
      reports.push({
        tool: need.tool,
        usedFor,
        path,
        version: path === null ? null : await versionOf(context, need.tool, need.versionArgv),
        install,
        required,
      });
    }
    const ok = reports.every((report) => report.path !== null || !report.required);
    if (options.text('format') === 'json')
      terminal.out(
        `${JSON.stringify({ formatVersion: 1, ok, bkp: bkpVersion, node: context.host.node, tools: reports }, null, 2)}\n`,
      );
    else {
      const rows = reports.map((report) => [
        report.path === null ? (report.required ? 'MISSING' : 'absent') : 'ok',
        report.tool,
        report.version ?? report.install,
        report.usedFor,
      ]);
      terminal.out(formatTable([['ok', 'bkp', bkpVersion, ''], ['ok', 'node', context.host.node, ''], ...rows]));
    }
    return ok ? EXIT.done : EXIT.guarded;
  } finally {
    await dispose();
  }
};

async function versionOf(context: Context, tool: string, argv: readonly string[]): Promise<string | null> {
  const { stdout, stderr } = await context.run({ argv: [tool, ...argv] }, { timeoutMs: 10_000 });
  return (stdout.trim() || stderr.trim()).split('\n')[0]?.trim() ?? null;
}
