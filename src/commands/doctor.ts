import { ENGINES, engineOf } from '../engines/registry.ts';
import type { Target } from '../generated/policy.ts';
import type { ToolNeed } from '../engines/engine.ts';
import type { Context } from '../context.ts';
import { EXIT, reasonOf } from '../errors.ts';
import type { Edge } from '../reconcile/session.ts';
import { formatTools, type ToolReport } from '../report/tools-text.ts';
import { identityPaths, openEdge } from '../system/edge.ts';
import { enclosedIdentities } from '../policy/enclosed-identities.ts';
import { examinePolicy } from '../policy/load.ts';
import { isSshKey } from '../encryption/recipient.ts';
import type { ResolvedPolicy } from '../policy/resolved-policy.ts';
import { holdsReference } from '../policy/reference-syntax.ts';
import { keepingOf } from '../snapshots/object-lock.ts';
import type { Terminal } from '../report/terminal.ts';
import { systemPolicyFiles } from '../system/policy-files.ts';
import type { CommandRun } from './command.ts';
import { policyPath } from './open-session.ts';
import { examineSigningKey } from './signing-key.ts';
import type { OptionValues } from './option-values.ts';

const ZSTD: ToolNeed = {
  tool: 'zstd',
  versionArgv: ['zstd', '--version'],
  debianPackage: 'zstd',
  homebrewPackage: 'zstd',
};

const AGE: ToolNeed = {
  tool: 'age',
  versionArgv: ['age', '--version'],
  debianPackage: 'age',
  homebrewPackage: 'age',
};

/**
 * Tools, versions and what is missing, with the package to install: what the policy's targets need, or what all engines
 * could use where no policy is at hand. Exit 6 when something that the policy needs is missing.
 */
export const doctorCommand: CommandRun = async (_args, options, { terminal, signal, bkpVersion }) => {
  const policy = await usedPolicy(options, terminal);
  const targets = policy && Object.values(policy.targets).map(({ config }) => config);
  const { edge, dispose } = await openEdge({ signal, emit: () => undefined });
  try {
    const context = edge.context.withSignal(signal);
    const tools = [{ ...(await inspectTool(context, ZSTD, 'fast compression', false)), replaceable: true }];
    const recipients = policy && recipientsOf(policy);
    const isReplaceable = recipients?.some(isSshKey) !== true;
    if (recipients?.length !== 0)
      tools.push({
        ...(await inspectTool(context, AGE, 'fast encryption', !isReplaceable)),
        replaceable: isReplaceable,
      });
    for (const type of Object.keys(ENGINES))
      for (const need of neededTools(type, targets))
        tools.push(await inspectTool(context, need, `${type} targets`, targets !== undefined));
    const ofKey = policy === undefined ? [] : examineSigningKey(policy);
    const hasTools = tools.every((tool) => tool.path !== null || !tool.required);
    const { node } = context.host;
    const enclosed = policy === undefined ? [] : enclosedIdentities(policy, identityPaths(options.list('identity')));
    const unlockable = policy === undefined ? [] : await lacksObjectLock(policy, edge);
    const warnings = [...enclosed, ...ofKey, ...unlockable].map(({ message }) => message);
    const ok = hasTools && unlockable.length === 0 && ofKey.every(({ severity }) => severity !== 'error');
    terminal.out(
      options.text('format') === 'json'
        ? `${JSON.stringify({ formatVersion: 1, ok, bkp: bkpVersion, node, tools, warnings }, null, 2)}\n`
        : formatTools({ bkp: bkpVersion, node, tools, warnings }, terminal.paint),
    );
    return ok ? EXIT.done : EXIT.guarded;
  } finally {
    await dispose();
  }
};

/** The policy; undefined without a valid policy, which is not what is examined here. */
async function usedPolicy(options: OptionValues, terminal: Terminal): Promise<ResolvedPolicy | undefined> {
  const { policy } = await examinePolicy({ path: policyPath(options), files: systemPolicyFiles(terminal.readStdin) });
  return policy;
}

/** Repositories that are to lock what is stored and cannot, or cannot be asked. Only these are reached. */
async function lacksObjectLock(policy: ResolvedPolicy, edge: Edge): Promise<readonly { readonly message: string }[]> {
  const wanted = policy.repositories.filter(({ config }) => 'objectLock' in config && config.objectLock !== undefined);
  if (wanted.length === 0) return [];
  const { openSession } = await import('../reconcile/open-session.ts');
  const { repositories } = openSession({ ...policy, repositories: wanted }, edge);
  const found: { readonly message: string }[] = [];
  for (const opened of repositories) {
    const problem =
      opened.repository === null ? opened.problem : await keepingOf(opened.repository).then(() => undefined, reasonOf);
    if (problem !== undefined) found.push({ message: `repository ${opened.name}: ${problem}` });
  }
  return found;
}

/** What the policy encrypts to, as far as it is written there; a file of recipients stands for itself. */
function recipientsOf({ repositories, backups }: ResolvedPolicy): readonly string[] {
  const ofRepositories = repositories.map(({ config }) => ('encryption' in config ? config.encryption : undefined));
  return [...ofRepositories, ...backups.map(({ encryption }) => encryption)].flatMap((encryption) => [
    ...(encryption?.recipients ?? []),
    ...(encryption?.recipientsFile === undefined ? [] : [encryption.recipientsFile]),
  ]);
}

/** What the targets of a type need, each program once for every place where it must lie. */
function neededTools(type: string, targets: readonly Target[] | undefined): readonly ToolNeed[] {
  const engine = engineOf(type);
  if (targets === undefined) return engine.capabilities.tools;
  const needs = targets
    .filter((target) => target.type === type)
    .flatMap((target) => engine.neededTools?.(target) ?? engine.capabilities.tools);
  return [...new Map(needs.map((need) => [placesOf(need).join('\n'), need])).values()];
}

/** In a folder whose name is not known before the run, a program is looked for where it usually lies. */
function placesOf({ tool, otherNames = [], only, folders = [] }: ToolNeed): readonly string[] {
  const names = [tool, ...otherNames];
  if (only !== undefined && !holdsReference(only)) return names.map((name) => `${only}/${name}`);
  return [...names, ...folders.flatMap((folder) => names.map((name) => `${folder}/${name}`))];
}

async function inspectTool(context: Context, need: ToolNeed, usedFor: string, required: boolean): Promise<ToolReport> {
  const path =
    placesOf(need)
      .map((place) => context.findTool(place))
      .find((found) => found !== undefined) ?? null;
  const isMac = context.host.platform === 'darwin';
  return {
    tool: need.tool,
    usedFor,
    path,
    version: path === null ? null : await versionOf(context, path, need),
    install: isMac ? `brew install ${need.homebrewPackage}` : `apt-get install ${need.debianPackage}`,
    required,
    replaceable: false,
  };
}

/** The number in what a tool says of itself, else its first line; null when it says nothing. */
async function versionOf(context: Context, path: string, { versionArgv }: ToolNeed): Promise<string | null> {
  const { stdout, stderr } = await context.run({ argv: [path, ...versionArgv.slice(1)] }, { timeoutMs: 10_000 });
  const line = (stdout.trim() || stderr.trim()).split('\n')[0] ?? '';
  return /\d+(?:\.\d+)+/.exec(line)?.[0] ?? (line === '' ? null : line);
}
