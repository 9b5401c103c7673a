import { ACTIONS } from '../reconcile/step.ts';
import type { OptionSpec } from './command.ts';

/** Options that several commands share: the same word means the same everywhere. */
export const FILE: OptionSpec = {
  flags: '-f, --file <path>',
  description: 'policy file, - for standard input (default: bkp.yaml)',
  repeat: true,
};
export const FORMAT = (...choices: readonly string[]): OptionSpec => ({
  flags: '--format <format>',
  description: 'output format (default: text)',
  choices: ['text', ...choices],
});
export const YES: OptionSpec = { flags: '--yes', description: 'do not ask' };
export const BACKUP: OptionSpec = { flags: '--backup <name>', description: 'only this backup', repeat: true };
export const LOCK: OptionSpec = {
  flags: '--lock-timeout <duration>',
  description: 'how long to wait for a lease (default: 30s)',
};
export const REPOSITORY: OptionSpec = {
  flags: '--repository <name|path>',
  description: 'a repository of the policy, or a path or s3://bucket/prefix when there is no policy',
};
export const IDENTITY: OptionSpec = {
  flags: '--identity <file>',
  description: 'private key that opens what is encrypted (default: BKP_AGE_IDENTITY_FILE)',
  repeat: true,
};
export const TRUSTED_KEY: OptionSpec = {
  flags: '--trusted-key <key>',
  description: 'without a policy: only what is signed with this public key counts',
  repeat: true,
};
export const TARGET: OptionSpec = { flags: '--target <name>', description: 'only this target', repeat: true };

export const PLANNING: readonly OptionSpec[] = [
  BACKUP,
  { flags: '--only <actions>', description: `only these actions, comma separated: ${ACTIONS.join(', ')}` },
  { flags: '--no-prune', description: 'plan no prunes' },
  { flags: '--prune-removed', description: 'prune snapshots of backups that left the policy' },
  { flags: '--max-prune <n>', description: 'most prunes per backup and repository' },
  { flags: '--init-repositories', description: 'make repositories that do not exist yet' },
  IDENTITY,
];

export const REPORTS: readonly OptionSpec[] = [
  { flags: '--json-into <file>', description: 'also write the plan as JSON' },
  { flags: '--markdown-into <file>', description: 'also write the plan as Markdown' },
];

export const INTO: OptionSpec = {
  flags: '--into <key=value>',
  description: 'destination, laid over the target: path=/srv/app.db, target.key=value',
  repeat: true,
};

export const MODE: OptionSpec = {
  flags: '--mode <mode>',
  description: 'how to treat what is there (default: new)',
  choices: ['new', 'replace', 'merge'],
};
