import { stringify } from 'yaml';
import type { RepositoryConfig, Target } from '../generated/policy.ts';

/** What `bkp init` asks for. */
export interface FirstPolicy {
  readonly name: string;
  readonly targets: Readonly<Record<string, Target>>;
  readonly repositories: Readonly<Record<string, RepositoryConfig>>;
}

/** Where `init` puts the schema beside the policy, so that editors need no network. */
export const SCHEMA_FILE = 'policy.schema.json';

/** A commented policy with one backup of all targets, and the modeline that gives editors the schema. */
export function firstPolicyText({ name, targets, repositories }: FirstPolicy): string {
  const backup = { targets: Object.keys(targets), schedule: '@daily', verify: { every: '7d' } };
  return `# yaml-language-server: $schema=./${SCHEMA_FILE}
#
# Check it with \`bkp validate\`, see what it would do with \`bkp plan\`, do it with \`bkp apply\`.
version: 1
name: ${name}

# Where snapshots are stored. Make each of them once with \`bkp init --repository NAME\`.
repositories:
${section(repositories)}
# What to protect.
targets:
${section(targets)}
defaults:
  # The first repository that can be read receives new snapshots, the others copies of them.
  repositories: ${flow(Object.keys(repositories))}
  timezone: UTC
  # A snapshot that any of these keeps stays.
  retention: { keepLast: 3, daily: 7, weekly: 4, monthly: 12 }

backups:
${section({ [name]: backup })}`;
}

const flow = (names: readonly string[]): string => `[${names.join(', ')}]`;

function section(entries: Readonly<Record<string, unknown>>): string {
  return stringify(entries, { lineWidth: 0 }).replaceAll(/^(?=.)/gm, '  ');
}

/** A name for a target or policy, made from a path or any other text; `fallback` when nothing of it can stand in one. */
export function nameFrom(text: string, fallback: string): string {
  const last = text.split('/').findLast((part) => part !== '' && part !== '.' && part !== '..') ?? '';
  const slug = last
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63);
  return slug === '' ? fallback : slug;
}
