import type { Context, ProcessSpec } from '../../context.ts';
import { toolError } from '../../errors.ts';
import type { Problem, TargetOf } from '../engine.ts';

export type CommandTarget = TargetOf<'command'>;
export type ProgramKey = 'capture' | 'restore' | 'check' | 'facts';

/** One of a target's programs as a process; undefined where the target names none. */
export function programOf(
  target: Partial<CommandTarget>,
  key: ProgramKey,
  more: Readonly<Record<string, string>> = {},
): ProcessSpec | undefined {
  const [program, ...rest] = target[key] ?? [];
  if (program === undefined) return undefined;
  const { env = {}, directory } = target;
  return {
    argv: [program, ...rest],
    env: { ...env, ...more },
    ...(directory === undefined ? {} : { cwd: directory }),
  };
}

/** The same where there is no doing without. */
export function requireProgram(
  target: Partial<CommandTarget>,
  key: ProgramKey,
  more: Readonly<Record<string, string>> = {},
): ProcessSpec {
  const process = programOf(target, key, more);
  if (process === undefined)
    throw toolError(`cannot ${key}: the target names no program for it`, { hint: `give \`${key}: [program, …]\`` });
  return process;
}

/** Programs that are nowhere on PATH; those with a folder in their name are found, or not, when they start. */
export function missingPrograms(
  target: CommandTarget,
  keys: readonly ProgramKey[],
  context: Pick<Context, 'findTool'>,
): readonly Problem[] {
  return keys.flatMap((key) => {
    const name = target[key]?.[0];
    if (name === undefined || name.includes('/') || context.findTool(name) !== undefined) return [];
    return [{ message: `${name} (\`${key}\`) is not on PATH`, hint: 'install it, or write where it lies' }];
  });
}
