import { ENGINES } from '../engines/registry.ts';
import type { ToolNeed } from '../engines/engine.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../errors.ts';
import { formatTools, type ToolReport } from '../report/tools-text.ts';
import { openEdge } from '../system/edge.ts';
import { examinePolicy } from '../policy/load.ts';
import type { Terminal } from '../report/terminal.ts';
import { systemPolicyFiles } from '../system/policy-files.ts';
import type { CommandRun } from './command.ts';
import { policyPath } from './open-session.ts';
import type { OptionValues } from './option-values.ts';

const ZSTD: ToolNeed = {
  tool: 'zstd',
  versionArgv: ['zstd', '--version'],
  debianPackage: 'zstd',
  homebrewPackage: 'zstd',
};

/**
 * Tools, versions and what is missing, with the package to install: what the policy's targets need, or what all engines
 * could use where no policy is at hand. Exit 6 when something that the policy needs is missing.
 */
export const doctorCommand: CommandRun = async (_args, options, { terminal, signal, bkpVersion }) => {
  const used = await usedTypes(options, terminal);
  const { edge, dispose } = await openEdge({ signal, emit: () => undefined });
  try {
    const context = edge.context.withSignal(signal);
    const tools = [await inspectTool(context, ZSTD, 'fast compression', false)];
    for (const { type, capabilities } of Object.values(ENGINES)) {
      if (used?.has(type) === false) continue;
      for (const need of capabilities.tools)
        tools.push(await inspectTool(context, need, `${type} targets`, used !== undefined));
    }
    const ok = tools.every((tool) => tool.path !== null || !tool.required);
    const { node } = context.host;
    terminal.out(
      options.text('format') === 'json'
        ? `${JSON.stringify({ formatVersion: 1, ok, bkp: bkpVersion, node, tools }, null, 2)}\n`
        : formatTools({ bkp: bkpVersion, node, tools }, terminal.paint),
    );
    return ok ? EXIT.done : EXIT.guarded;
  } finally {
    await dispose();
  }
};

/** The types of the policy's targets; undefined without a valid policy, which is not what is examined here. */
async function usedTypes(options: OptionValues, terminal: Terminal): Promise<ReadonlySet<string> | undefined> {
  const { policy } = await examinePolicy({ path: policyPath(options), files: systemPolicyFiles(terminal.readStdin) });
  return policy && new Set(Object.values(policy.targets).map(({ config }) => config.type));
}

async function inspectTool(context: Context, need: ToolNeed, usedFor: string, required: boolean): Promise<ToolReport> {
  const places = [need.tool, ...(need.folders ?? []).map((folder) => `${folder}/${need.tool}`)];
  const path = places.map((place) => context.findTool(place)).find((found) => found !== undefined) ?? null;
  const isMac = context.host.platform === 'darwin';
  return {
    tool: need.tool,
    usedFor,
    path,
    version: path === null ? null : await versionOf(context, path, need),
    install: isMac ? `brew install ${need.homebrewPackage}` : `apt-get install ${need.debianPackage}`,
    required,
  };
}

/** The number in what a tool says of itself, else its first line; null when it says nothing. */
async function versionOf(context: Context, path: string, { versionArgv }: ToolNeed): Promise<string | null> {
  const { stdout, stderr } = await context.run({ argv: [path, ...versionArgv.slice(1)] }, { timeoutMs: 10_000 });
  const line = (stdout.trim() || stderr.trim()).split('\n')[0] ?? '';
  return /\d+(?:\.\d+)+/.exec(line)?.[0] ?? (line === '' ? null : line);
}
