import type { CommandSpec } from './command.ts';
import { FILE, FORMAT, IDENTITY, REPOSITORY, YES } from './shared-options.ts';

/** Commands about this machine: what it can reach, what it has, what it holds. */
export const MACHINE_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'ping',
    description: 'reach every target and repository',
    group: 'Machine',
    options: [FILE, FORMAT('json')],
    load: async () => (await import('./online.ts')).pingCommand,
  },
  {
    name: 'doctor',
    description: 'tools, versions and what is missing',
    group: 'Machine',
    options: [FILE, IDENTITY, FORMAT('json')],
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
  {
    name: 'keygen',
    arguments: '<kind> <file>',
    description: 'make a key pair: `age` opens encrypted backups, `signing` signs them',
    group: 'Machine',
    options: [FORMAT('json')],
    examples: ['bkp keygen age /root/bkp-identity.txt', 'bkp keygen signing signing.key'],
    load: async () => (await import('./keygen.ts')).keygenCommand,
  },
  {
    name: 'unlock',
    arguments: '<backup>',
    description: 'break a lease after showing who holds it',
    group: 'Machine',
    options: [FILE, REPOSITORY, YES, FORMAT('json')],
    load: async () => (await import('./unlock.ts')).unlockCommand,
  },
  {
    name: 'catalog',
    arguments: '<action>',
    description: 'rebuild what is known of repositories from their objects',
    group: 'Machine',
    options: [FILE, REPOSITORY, FORMAT('json')],
    examples: ['bkp catalog rebuild', 'bkp catalog rebuild --repository offsite'],
    load: async () => (await import('./catalog.ts')).catalogCommand,
  },
  {
    name: 'completion',
    arguments: '<shell>',
    description: 'print a completion script: bash, zsh or fish',
    group: 'Machine',
    options: [],
    examples: ['source <(bkp completion bash)'],
    load: async () => (await import('./completion.ts')).completionCommand,
  },
  {
    name: 'demo',
    description: 'show bkp at work in a new folder',
    group: 'Machine',
    options: [{ flags: '--dir <folder>', description: 'where (default: demo)' }],
    load: async () => (await import('./demo.ts')).demoCommand,
  },
];
