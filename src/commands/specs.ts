import type { CommandSpec } from './command.ts';
import { MACHINE_COMMANDS } from './machine-specs.ts';
import { SNAPSHOT_COMMANDS } from './snapshot-specs.ts';
import { FILE, FORMAT, IDENTITY, INTO, LOCK, MODE, PLANNING, REPORTS, TARGET, YES } from './shared-options.ts';

/** Every command, in the order of `--help`. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'init',
    description: 'write a first policy, or make a repository',
    group: 'Policy',
    options: [
      FILE,
      { flags: '--name <name>', description: 'name of the policy' },
      { flags: '--target <settings>', description: 'a target: type=sqlite,path=/var/lib/app.db', repeat: true },
      {
        flags: '--repository <name|path>',
        description: 'a folder or s3://bucket/prefix for a new policy; with a policy: the repository to make',
      },
    ],
    examples: [
      'bkp init --target type=sqlite,path=/var/lib/app/app.db --repository /var/backups/bkp',
      'bkp init --repository nas',
    ],
    load: async () => (await import('./init.ts')).initCommand,
  },
  {
    name: 'validate',
    description: 'check the policy; with --online also targets and repositories',
    group: 'Policy',
    options: [
      FILE,
      IDENTITY,
      FORMAT('json', 'github'),
      { flags: '--strict', description: 'warnings are errors' },
      { flags: '--online', description: 'reach every target and repository, changing nothing' },
      { flags: '--for <purpose>', description: 'also check what a restore needs', choices: ['restore'] },
      { flags: '--snapshot <snapshot>', description: 'the snapshot to be restored' },
      TARGET,
      INTO,
      MODE,
    ],
    examples: ['bkp validate --strict', 'bkp validate --online --for restore --snapshot app@latest --mode replace'],
    load: async () => (await import('./validate-command.ts')).validateCommand,
  },
  {
    name: 'schema',
    description: 'print the JSON Schema of the policy',
    group: 'Policy',
    options: [],
    load: async () => (await import('./schema.ts')).schemaCommand,
  },
  {
    name: 'plan',
    description: 'show what apply would do, and why',
    group: 'Backup',
    options: [
      FILE,
      ...PLANNING,
      { flags: '--at <time>', description: 'plan for another moment' },
      { flags: '--out <file>', description: 'save the plan for apply' },
      { flags: '--detailed-exitcode', description: 'exit 2 when changes are pending' },
      FORMAT('json', 'markdown', 'github'),
      ...REPORTS,
    ],
    examples: ['bkp plan', 'bkp plan --out plan.json --detailed-exitcode', 'bkp plan --at 2027-01-01 --backup app'],
    load: async () => (await import('./plan.ts')).planCommand,
  },
  {
    name: 'apply',
    arguments: '[plan]',
    description: 'carry out a plan',
    group: 'Backup',
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
    examples: ['bkp apply', 'bkp apply --yes --only create,copy,verify', 'bkp apply plan.json'],
    load: async () => (await import('./apply.ts')).applyCommand,
  },
  {
    name: 'backup',
    arguments: '<name>',
    description: 'capture one backup now',
    group: 'Backup',
    options: [FILE, LOCK, IDENTITY, FORMAT('json')],
    examples: ['bkp backup app'],
    load: async () => (await import('./backup.ts')).backupCommand,
  },
  {
    name: 'status',
    description: 'age of the last good snapshots, copies, drift, last errors',
    group: 'Backup',
    options: [FILE, FORMAT('json')],
    load: async () => (await import('./status.ts')).statusCommand,
  },
  ...SNAPSHOT_COMMANDS,
  ...MACHINE_COMMANDS,
];
