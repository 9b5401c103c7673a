import type { Context } from '../context.ts';
import { reasonOf, targetError } from '../errors.ts';
import { resolveHookEnv, type Lookups } from '../policy/references.ts';
import type { Hook, ResolvedBackup } from '../policy/resolved-policy.ts';
import { commandLine } from './phrases.ts';

/** Runs the `before` hooks in order; the first failure ends it and the capture with a `target` error. */
export async function runBeforeHooks(backup: ResolvedBackup, lookups: Lookups, context: Context): Promise<void> {
  for (const hook of backup.hooks.before) {
    const problem = await runHook('before', hook, lookups, context);
    if (problem !== null)
      throw targetError(`cannot capture ${backup.name}: the before hook ${commandLine(hook.argv)} ${problem}`);
  }
}

/** `after` hooks that are due: all of them after a success, those with `always` otherwise. */
export const afterHooks = (backup: ResolvedBackup, succeeded: boolean): readonly Hook[] =>
  backup.hooks.after.filter((hook) => succeeded || hook.always);

/** Runs `after` hooks in order, each one whatever became of the one before; returns what went wrong. */
export async function runAfterHooks(
  hooks: readonly Hook[],
  lookups: Lookups,
  context: Context,
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const hook of hooks) {
    const problem = await runHook('after', hook, lookups, context);
    if (problem !== null) problems.push(`the after hook ${commandLine(hook.argv)} ${problem}`);
  }
  return problems;
}

async function runHook(
  phase: 'before' | 'after',
  hook: Hook,
  lookups: Lookups,
  context: Context,
): Promise<string | null> {
  const problem = await problemOf(hook, lookups, context);
  context.emit({ type: 'hook', phase, argv: hook.argv, ok: problem === null, message: problem });
  return problem;
}

async function problemOf(hook: Hook, lookups: Lookups, context: Context): Promise<string | null> {
  try {
    const { env, secrets } = resolveHookEnv(hook, lookups);
    lookups.onSecrets(secrets);
    const end = await context.run({ argv: hook.argv, env, cwd: hook.directory }, { timeoutMs: hook.timeoutMs });
    if (end.exitCode === 0) return null;
    const how = end.exitCode === null ? `was ended by ${end.signal}` : `exited ${end.exitCode}`;
    const said = end.stderr.trim().split('\n').at(-1) ?? '';
    return said === '' ? how : `${how}: ${said}`;
  } catch (error) {
    context.signal.throwIfAborted();
    return `failed: ${reasonOf(error)}`;
  }
}
