import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Context, ProcessEnd } from '../../../context.ts';
import { throwIfAborted, toolError } from '../../../errors.ts';
import { feedProgram } from '../../feed-program.ts';
import { assertRestored, judgeScript } from './judge-restore.ts';
import { readChosen } from './read-script-head.ts';
import type { Fill } from './run-fill.ts';
import { choiceOf } from './choice.ts';

/**
 * Lets psql run a script in one transaction. It passes through here on its way: psql takes the end of what it reads for
 * the end of the script, and so must not see one before the script was found to be whole.
 */
export async function runScript({ artifact, program, ...fill }: Fill, context: Context): Promise<void> {
  const psql = context.findTool(join(dirname(program), 'psql'));
  if (psql === undefined)
    throw toolError(`cannot run psql: it is not beside ${program}`, { hint: 'install postgresql-client' });
  await artifact.into({ kind: 'reader', read: (raw) => feedScript(raw, psql, fill, context) });
}

async function feedScript(
  raw: Readable,
  psql: string,
  { database, options, env }: Pick<Fill, 'database' | 'options' | 'env'>,
  context: Context,
): Promise<void> {
  const choice = choiceOf([...options, '--no-subscriptions']);
  const modes = ['--no-psqlrc', '--quiet', '--no-password', '--set=ON_ERROR_STOP=1', '--single-transaction'];
  const argv = [psql, ...modes, '--file=-', `--dbname=${database}`] as const;
  let ended: ProcessEnd;
  const running = context.start({ argv, env }, { stdin: 'pipe', stdout: 'ignore' });
  try {
    await feedProgram(running, readChosen(raw, choice));
  } finally {
    ended = await running.closed;
  }
  throwIfAborted(context.signal);
  assertRestored('psql', ended, judgeScript);
}
