import { ACTIONS } from '../reconcile/step.ts';
import type { CommandSpec, OptionSpec } from './command.ts';

const FILE: OptionSpec = {
  flags: '-f, --file <path>',
  description: 'policy file, - for standard input (default: bkp.yaml)',
  repeat: true,
};
const FORMAT = (...choices: readonly string[]): OptionSpec => ({
  flags: '--format <format>',
  description: 'output format',
  choices: ['text', ...choices],
});
const YES: OptionSpec = { flags: '--yes', description: 'do not ask' };
const BACKUP: OptionSpec = { flags: '--backup <name>', description: 'only this backup', repeat: true };
const LOCK: OptionSpec = {
  flags: '--lock-timeout <duration>',
  description: 'how long to wait for a lease (default: 30s)',
};
const REPOSITORY: OptionSpec = {
  flags: '--repository <name|path>',
  description: 'a repository of the policy, or a path when there is no policy',
};
const TARGET: OptionSpec = { flags: '--target <name>', description: 'only this target', repeat: true };

const PLANNING: readonly OptionSpec[] = [
  BACKUP,
  { flags: '--only <actions>', description: `only these actions, comma separated: ${ACTIONS.join(', ')}` },
  { flags: '--no-prune', description: 'plan no prunes' },
  { flags: '--prune-removed', description: 'prune snapshots of backups that left the policy' },
  { flags: '--max-prune <n>', description: 'most prunes per backup and repository' },
  { flags: '--init-repositories', description: 'make repositories that do not exist yet' },
];

const REPORTS: readonly OptionSpec[] = [
  { flags: '--json-into <file>', description: 'also write the plan as JSON' },
  { flags: '--markdown-into <file>', description: 'also write the plan as Markdown' },
];

/** Every command, in the order of `--help`. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'init',
    description: 'write a first policy, or make a repository',
    options: [
      FILE,
      { flags: '--name <name>', description: 'name of the policy' },
      { flags: '--target <settings>', description: 'a target: type=sqlite,path=/var/lib/app.db', repeat: true },
      {
        flags: '--repository <name|path>',
        description: 'a folder for a new policy; with a policy: the repository to make',
      },
    ],
    load: async () => (await import('./init.ts')).initCommand,
  },
  {
    name: 'validate',
    description: 'check the policy; with --online also targets and repositories',
    options: [
      FILE,
      FORMAT('json', 'github'),
      { flags: '--strict', description: 'warnings are errors' },
      { flags: '--online', description: 'reach every target and repository, changing nothing' },
      { flags: '--for <purpose>', description: 'also check what a restore needs', choices: ['restore'] },
      { flags: '--snapshot <snapshot>', description: 'the snapshot to be restored' },
    ],
    load: async () => (await import('./validate-command.ts')).validateCommand,
  },
  {
    name: 'ping',
    description: 'reach every target and repository',
    options: [FILE, FORMAT('json')],
    load: async () => (await import('./online.ts')).pingCommand,
  },
  {
    name: 'plan',
    description: 'show what apply would do, and why',
    options: [
      FILE,
      ...PLANNING,
      { flags: '--at <time>', description: 'plan for another moment' },
      { flags: '--out <file>', description: 'save the plan for apply' },
      { flags: '--detailed-exitcode', description: 'exit 2 when changes are pending' },
      FORMAT('json', 'markdown', 'github'),
      ...REPORTS,
    ],
    load: async () => (await import('./plan.ts')).planCommand,
  },
  {
    name: 'apply',
    arguments: '[plan]',
    description: 'carry out a plan',
    options: [
      FILE,
      ...PLANNING,
      YES,
      LOCK,
      { flags: '--fail-fast', description: 'stop at the first failure' },
      { flags: '--max-age <duration>', description: 'oldest saved plan with destructive steps (default: 24h)' },
      FORMAT('json'),
      ...REPORTS,
    ],
    load: async () => (await import('./apply.ts')).applyCommand,
  },
  {
    name: 'backup',
    arguments: '<name>',
    description: 'capture one backup now',
    options: [FILE, LOCK, FORMAT('json')],
    load: async () => (await import('./backup.ts')).backupCommand,
  },
  {
    name: 'list',
    arguments: '[backup]',
    description: 'list snapshots',
    options: [FILE, REPOSITORY, FORMAT('json', 'plain')],
    load: async () => (await import('./list.ts')).listCommand,
  },
  {
    name: 'show',
    arguments: '<snapshot|plan>',
    description: 'show a snapshot or a saved plan',
    options: [
      FILE,
      REPOSITORY,
      { flags: '--policy', description: 'print the policy files stored with the snapshot' },
      { flags: '--detailed-exitcode', description: 'exit 2 when the saved plan holds changes' },
      FORMAT('json', 'markdown'),
    ],
    load: async () => (await import('./show.ts')).showCommand,
  },
  {
    name: 'restore',
    arguments: '<snapshot>',
    description: 'bring data back',
    options: [
      FILE,
      REPOSITORY,
      TARGET,
      {
        flags: '--into <key=value>',
        description: 'destination, laid over the target: path=/srv/app.db, target.key=value',
        repeat: true,
      },
      {
        flags: '--mode <mode>',
        description: 'how to treat what is there (default: new)',
        choices: ['new', 'replace', 'merge'],
      },
      { flags: '--path <path>', description: 'only this path inside the target', repeat: true },
      { flags: '--plan', description: 'show what would happen and stop' },
      { flags: '--no-safety', description: 'take no safety snapshot first' },
      { flags: '--skip-conflicts', description: 'merge what can come back, list what cannot' },
      { flags: '--keep-old <duration>', description: 'how long a replaced state stays (default: 24h)' },
      YES,
      LOCK,
      FORMAT('json'),
    ],
    load: async () => (await import('./restore.ts')).restoreCommand,
  },
  {
    name: 'verify',
    arguments: '[snapshot]',
    description: 'prove stored snapshots intact',
    options: [
      FILE,
      REPOSITORY,
      BACKUP,
      { flags: '--deep', description: "the engine's own full check of every artifact" },
      FORMAT('json'),
    ],
    load: async () => (await import('./verify.ts')).verifyCommand,
  },
  {
    name: 'status',
    description: 'age of the last good snapshots, copies, drift, last errors',
    options: [FILE, FORMAT('json')],
    load: async () => (await import('./status.ts')).statusCommand,
  },
  {
    name: 'diff',
    arguments: '<a> <b>',
    description: 'compare facts and sizes of two snapshots',
    options: [FILE, REPOSITORY, FORMAT('json')],
    load: async () => (await import('./diff.ts')).diffCommand,
  },
  {
    name: 'download',
    arguments: '<snapshot> <folder>',
    description: 'copy artifacts out of a repository',
    options: [
      FILE,
      REPOSITORY,
      TARGET,
      { flags: '--native', description: 'decompressed, as the native tool reads it' },
      { flags: '--force', description: 'overwrite files' },
      FORMAT('json'),
    ],
    load: async () => (await import('./download.ts')).downloadCommand,
  },
  {
    name: 'upload',
    arguments: '<file>',
    description: 'adopt a dump made elsewhere',
    options: [
      FILE,
      { flags: '--backup <name>', description: 'backup it belongs to' },
      { flags: '--target <name>', description: 'target it belongs to' },
      { flags: '--taken-at <time>', description: 'when it was made (default: time of the file)' },
      LOCK,
      FORMAT('json'),
    ],
    load: async () => (await import('./upload.ts')).uploadCommand,
  },
  {
    name: 'destroy',
    arguments: '<snapshot>',
    description: 'remove a snapshot from its repositories',
    options: [
      FILE,
      REPOSITORY,
      { flags: '--force <snapshot>', description: 'the full name again: removes even the last good one' },
      YES,
      LOCK,
      FORMAT('json'),
    ],
    load: async () => (await import('./destroy.ts')).destroyCommand,
  },
  {
    name: 'protect',
    arguments: '<snapshot>',
    description: 'keep a snapshot against everything',
    options: [
      FILE,
      { flags: '--reason <text>', description: 'why; stands in every plan that would prune it' },
      FORMAT('json'),
    ],
    load: async () => (await import('./protect.ts')).protectCommand,
  },
  {
    name: 'unprotect',
    arguments: '<snapshot>',
    description: 'let retention have a protected snapshot',
    options: [FILE, { flags: '--reason <text>', description: 'why' }, FORMAT('json')],
    load: async () => (await import('./protect.ts')).unprotectCommand,
  },
  {
    name: 'unlock',
    arguments: '<backup>',
    description: 'break a lease after showing who holds it',
    options: [FILE, REPOSITORY, YES, FORMAT('json')],
    load: async () => (await import('./unlock.ts')).unlockCommand,
  },
  {
    name: 'doctor',
    description: 'tools, versions and what is missing',
    options: [FORMAT('json')],
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
  {
    name: 'schema',
    description: 'print the JSON Schema of the policy',
    options: [],
    load: async () => (await import('./schema.ts')).schemaCommand,
  },
  {
    name: 'completion',
    arguments: '<shell>',
    description: 'print a completion script: bash, zsh or fish',
    options: [],
    load: async () => (await import('./completion.ts')).completionCommand,
  },
  {
    name: 'demo',
    description: 'show bkp at work in a new folder',
    options: [{ flags: '--dir <folder>', description: 'where (default: demo)' }],
    load: async () => (await import('./demo.ts')).demoCommand,
  },
];
