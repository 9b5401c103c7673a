import { basename, dirname, join, resolve } from 'node:path';
import { EXIT, PolicyError, usageError, type ExitCode } from '../errors.ts';
import type { RepositoryConfig, Target } from '../generated/policy.ts';
import { firstPolicyText, nameFrom, SCHEMA_FILE, type FirstPolicy } from '../policy/first-policy.ts';
import { examinePolicy } from '../policy/load.ts';
import { parseRepositoryFlag, parseTargetFlag } from '../policy/overrides.ts';
import type { Terminal } from '../report/terminal.ts';
import { parseS3Url } from '../repositories/s3/url.ts';
import { workingDirectory } from '../system/working-directory.ts';
import { fileExists, writeNewFile } from '../system/write-new-file.ts';
import type { CommandRun } from './command.ts';
import { schemaText } from './schema.ts';
import { policyPath } from './open-session.ts';

export interface InitOptions {
  readonly path: string;
  readonly name: string | undefined;
  /** `type=sqlite,path=…`, with `name=…` where the name should not come from the path. */
  readonly targets: readonly string[];
  /** A folder, `s3://bucket/prefix`, or `type=directory,path=…`. */
  readonly repositories: readonly string[];
}

/** `bkp init`: writes a first policy or, with a policy already there, makes one of its repositories. */
export const initCommand: CommandRun = async (_args, options, environment) => {
  const path = policyPath(options);
  const repository = options.text('repository');
  if (repository !== undefined && options.list('target').length === 0 && (await fileExists(path))) {
    return (await import('./init-repository.ts')).initRepository(repository, options, environment);
  }
  const repositories = repository === undefined ? [] : [repository];
  return init(
    { path, name: options.text('name'), targets: options.list('target'), repositories },
    environment.terminal,
  );
};

/** Writes a policy that passes `bkp validate`, from flags or, on a terminal, from answers. Never overwrites a file. */
export async function init(options: InitOptions, terminal: Terminal): Promise<ExitCode> {
  if (options.path === '-') throw usageError('cannot write a policy to -: name a file with -f');
  if (await fileExists(options.path)) throw alreadyThere(options.path);
  const text = firstPolicyText(await settings(options, terminal));
  await mustBeValid(options.path, text);
  if (!(await writeNewFile(options.path, text))) throw alreadyThere(options.path);
  const file = options.path === 'bkp.yaml' ? '' : ` -f ${options.path}`;
  const schemaPath = join(dirname(options.path), SCHEMA_FILE);
  const wroteSchema = await writeNewFile(schemaPath, schemaText());
  terminal.out(`wrote ${options.path}${wroteSchema ? ` and ${schemaPath}` : ''}\n`);
  terminal.err(`next: bkp validate${file}, then bkp apply --init-repositories${file}\n`);
  return EXIT.done;
}

const alreadyThere = (path: string): Error =>
  usageError(`cannot write ${path}: it is there already`, { hint: 'name another file with -f' });

async function settings(options: InitOptions, terminal: Terminal): Promise<FirstPolicy> {
  const fallback = nameFrom(workingDirectory(), 'main');
  if (options.targets.length > 0 && options.repositories.length > 0) {
    return {
      name: options.name ?? fallback,
      targets: named(options.targets.map(namedTarget), 'target'),
      repositories: named(options.repositories.map(namedRepository), 'repository'),
    };
  }
  if (!terminal.inIsTerminal || !terminal.errIsTerminal) {
    throw usageError('cannot ask for targets and repositories: this is not a terminal', {
      hint: 'bkp init --target type=sqlite,path=/var/lib/app/app.db --repository /var/backups/bkp',
    });
  }
  const { askFirstPolicy } = await import('./init-questions.ts');
  return askFirstPolicy(options.name ?? fallback);
}

type Named<T> = readonly [name: string, config: T];

function namedTarget(flag: string): Named<Target> {
  const { name, rest } = splitName(flag);
  const config = parseTargetFlag(rest);
  return [name ?? nameFrom(whatOf(config), config.type), config];
}

/** What a target is called after. */
function whatOf(config: Target): string {
  switch (config.type) {
    case 'command':
      return basename(config.capture[0] ?? '');
    case 's3':
      return config.prefix ?? config.bucket;
    case 'elasticsearch':
      return 'search';
    case 'sqlite':
      return config.path.replace(/\.\w+$/, '');
    case 'files':
      return config.paths[0] ?? '';
    case 'mongodb':
    case 'mysql':
    case 'postgres':
      return config.database ?? config.host ?? config.type;
    case 'redis':
      return config.host ?? 'redis';
  }
}

function namedRepository(flag: string): Named<RepositoryConfig> {
  const { name, rest } = splitName(flag);
  const config = rest.startsWith('s3://') ? parseS3Url(rest, {}) : parseRepositoryFlag(rest);
  return [name ?? nameFrom(placeOf(config), 'main'), config];
}

/** What a repository is called after. */
function placeOf(config: RepositoryConfig): string {
  switch (config.type) {
    case 'directory':
      return config.path;
    case 's3':
      return config.prefix ?? config.bucket;
  }
}

function splitName(flag: string): { readonly name: string | undefined; readonly rest: string } {
  const name = /(?:^|,)name=([^,]*)/.exec(flag)?.[1];
  return {
    name,
    rest: flag.replace(/(^|,)name=[^,]*(,|$)/, (_all, before: string, after: string) => (before && after ? ',' : '')),
  };
}

function named<T>(entries: readonly Named<T>[], word: string): Readonly<Record<string, T>> {
  const twice = entries.find(([name], index) => entries.findIndex(([other]) => other === name) !== index);
  if (twice !== undefined) {
    throw usageError(`cannot name two ${word === 'target' ? 'targets' : 'repositories'} "${twice[0]}"`, {
      hint: `give one of them a name: --${word} name=…,type=…`,
    });
  }
  return Object.fromEntries(entries);
}

/** The words of flags and answers can be anything; what they make must still be a policy. */
async function mustBeValid(path: string, text: string): Promise<void> {
  const files = { absolute: resolve, read: async () => Buffer.from(text), glob: async () => [] };
  const { policy, diagnostics } = await examinePolicy({ path, files });
  if (policy === undefined) throw new PolicyError(path, diagnostics);
}
