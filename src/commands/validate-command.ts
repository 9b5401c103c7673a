import { EXIT, usageError } from '../errors.ts';
import { identityPaths } from '../system/edge.ts';
import { systemPolicyFiles } from '../system/policy-files.ts';
import type { CommandRun } from './command.ts';
import { validateOnline } from './online.ts';
import { policyPath } from './open-session.ts';
import { validate, type ValidateFormat } from './validate.ts';

/** Checks the policy offline; with `--online` also the world it speaks of. */
export const validateCommand: CommandRun = async (_args, options, environment) => {
  const forRestore = options.text('for') === 'restore';
  const snapshot = options.text('snapshot');
  if (forRestore !== (snapshot !== undefined))
    throw usageError('cannot validate for a restore: --for restore and --snapshot go together');
  const isDetailed =
    options.list('target').length + options.list('into').length > 0 || options.text('mode') !== undefined;
  if (!forRestore && isDetailed)
    throw usageError('cannot validate for a restore: --target, --into and --mode need --for restore');
  if (forRestore && !options.flag('online')) throw usageError('cannot validate for a restore offline: add --online');
  const format = options.text('format') ?? 'text';
  const online = options.flag('online');
  const held: string[] = [];
  // One JSON document per run: the offline findings are printed only when they end it.
  const terminal =
    online && format === 'json'
      ? { ...environment.terminal, out: (text: string) => void held.push(text) }
      : environment.terminal;
  const files = systemPolicyFiles(environment.terminal.readStdin);
  const code = await validate(
    {
      path: policyPath(options),
      format: asFormat(format),
      strict: options.flag('strict'),
      identities: identityPaths(options.list('identity')),
    },
    terminal,
    files,
  );
  if (code === EXIT.done && online) return validateOnline(options, environment);
  for (const text of held) environment.terminal.out(text);
  return code;
};

const asFormat = (format: string): ValidateFormat => (format === 'json' || format === 'github' ? format : 'text');
