import { cancel, intro, isCancel, outro, select, text } from '@clack/prompts';
import { interruptedError } from '../errors.ts';
import type { Target } from '../generated/policy.ts';
import { nameFrom, type FirstPolicy } from '../policy/first-policy.ts';

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Asks on a terminal for what a first policy needs. Leaving a question is an interruption: nothing is written. */
export async function askFirstPolicy(suggestedName: string): Promise<FirstPolicy> {
  intro('A first policy: what to protect, and where copies live');
  const name = await askName('Name of the policy', suggestedName);
  const targets: Record<string, Target> = {};
  for (let more = true; more;) {
    const [targetName, target] = await askTarget(Object.keys(targets));
    targets[targetName] = target;
    more = await answered(
      select({
        message: 'Another target?',
        options: [
          { value: false, label: 'no' },
          { value: true, label: 'yes' },
        ],
      }),
    );
  }
  const path = await askText('Folder for the snapshots (better on another disk)', '/var/backups/bkp');
  outro('That is all it needs');
  return { name, targets, repositories: { main: { type: 'directory', path } } };
}

async function askTarget(taken: readonly string[]): Promise<readonly [string, Target]> {
  const type = await answered(
    select({
      message: 'What should be recoverable?',
      options: [
        { value: 'sqlite' as const, label: 'a SQLite database' },
        { value: 'files' as const, label: 'files and folders' },
      ],
    }),
  );
  const path = await askText(
    type === 'sqlite' ? 'The database file' : 'The file or folder',
    type === 'sqlite' ? '/var/lib/app/app.db' : '/etc/app',
  );
  const suggested = nameFrom(path.replace(/\.\w+$/, ''), type);
  const name = await askName(
    'Name of this target',
    taken.includes(suggested) ? `${suggested}-${taken.length + 1}` : suggested,
    taken,
  );
  return [name, type === 'sqlite' ? { type, path } : { type, paths: [path] }];
}

async function askName(message: string, suggested: string, taken: readonly string[] = []): Promise<string> {
  const validate = (value: string | undefined): string | undefined => {
    if (!NAME.test(value ?? '')) return 'lower-case letters, digits and dashes';
    return taken.includes(value ?? '') ? 'this name is taken' : undefined;
  };
  return answered(text({ message, initialValue: suggested, validate }));
}

const askText = (message: string, placeholder: string): Promise<string> =>
  answered(
    text({ message, placeholder, validate: (value) => ((value ?? '').trim() === '' ? 'a path is needed' : undefined) }),
  );

async function answered<T>(question: Promise<T>): Promise<Exclude<T, symbol>> {
  const answer = await question;
  if (isCancel(answer)) {
    cancel('nothing was written');
    throw interruptedError('cannot write a policy: a question was not answered');
  }
  return answer as Exclude<T, symbol>;
}
