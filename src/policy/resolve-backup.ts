import { resolve } from 'node:path';
import type { Check as PolicyCheck, Encryption, Retention as PolicyRetention } from '../generated/policy.ts';
import { parseDuration } from '../duration.ts';
import { parseExpectation } from './expectation.ts';
import { sourceOf } from './locate.ts';
import { settingPath, type BackupSettings, type Entry } from './policy-set.ts';
import type { Check, Hook, ResolvedBackup, ResolvedTarget, Retention, Schedule } from './resolved-policy.ts';

const DEFAULTS = { retryAfter: '1h', idleTimeout: '15m', safetyKeep: '7d', keepOld: '24h', hookTimeout: '5m' } as const;
const DEFAULT_PARALLELISM = 2;
const LOCATED: readonly (keyof BackupSettings)[] = [
  'retention',
  'schedule',
  'verify',
  'repositories',
  'targets',
  'enabled',
  'protect',
];

/** One backup with the defaults of its file and of bkp filled in, and its targets linked. */
export function resolveBackup(
  entry: Entry<BackupSettings>,
  targets: Readonly<Record<string, ResolvedTarget>>,
): ResolvedBackup {
  const { value, document } = entry;
  const located = LOCATED.filter((key) => value[key] !== undefined);
  return {
    name: entry.name,
    formerly: value.formerly ?? [],
    enabled: value.enabled ?? true,
    protect: value.protect ?? false,
    targets: value.targets.flatMap((name) => targets[name] ?? []),
    repositories: value.repositories ?? [],
    ...encryptionOf(value.encryption, document.directory),
    schedule: scheduleOf(value.schedule),
    timezone: value.timezone ?? 'UTC',
    retention: retentionOf(value.retention),
    hooks: { before: hooksOf(entry, 'before'), after: hooksOf(entry, 'after') },
    checks: Object.fromEntries(Object.entries(value.checks ?? {}).map(([name, checks]) => [name, checks.map(checkOf)])),
    verify: { everyMs: milliseconds(value.verify?.every), deepEveryMs: milliseconds(value.verify?.deep) },
    retryAfterMs: milliseconds(value.retryAfter ?? DEFAULTS.retryAfter) ?? 0,
    maxPrune: value.maxPrune ?? null,
    parallelism: value.parallelism ?? DEFAULT_PARALLELISM,
    timeoutMs: milliseconds(value.timeout),
    idleTimeoutMs: milliseconds(value.idleTimeout ?? DEFAULTS.idleTimeout) ?? 0,
    safetyKeepMs: milliseconds(value.safetyKeep ?? DEFAULTS.safetyKeep) ?? 0,
    keepOldMs: milliseconds(value.keepOld ?? DEFAULTS.keepOld) ?? 0,
    source: sourceOf(document, entry.path),
    sources: Object.fromEntries(located.map((key) => [key, sourceOf(document, settingPath(entry, key))])),
  };
}

const milliseconds = (text: string | undefined): number | null =>
  text === undefined ? null : (parseDuration(text) ?? null);

function encryptionOf(encryption: Encryption | undefined, directory: string): Pick<ResolvedBackup, 'encryption'> {
  if (encryption?.recipientsFile === undefined) return encryption === undefined ? {} : { encryption };
  return { encryption: { ...encryption, recipientsFile: resolve(directory, encryption.recipientsFile) } };
}

function scheduleOf(schedule: BackupSettings['schedule']): Schedule | null {
  if (schedule === undefined) return null;
  if (typeof schedule === 'string') return { kind: 'cron', expression: schedule };
  return { kind: 'every', everyMs: milliseconds(schedule.every) ?? 0 };
}

function retentionOf(retention: PolicyRetention | undefined): Retention | null {
  if (retention === undefined) return null;
  return {
    keepLast: retention.keepLast ?? null,
    hourly: retention.hourly ?? null,
    daily: retention.daily ?? null,
    weekly: retention.weekly ?? null,
    monthly: retention.monthly ?? null,
    yearly: retention.yearly ?? null,
    withinMs: milliseconds(retention.within),
  };
}

function hooksOf({ value, document, path }: Entry<BackupSettings>, phase: 'before' | 'after'): readonly Hook[] {
  return (value.hooks?.[phase] ?? []).map((hook, index) => {
    const at = [...path, 'hooks', phase, index];
    const variables = Object.keys(hook.env ?? {});
    return {
      argv: hook.run as readonly [string, ...string[]],
      timeoutMs: milliseconds(hook.timeout ?? DEFAULTS.hookTimeout) ?? 0,
      env: hook.env ?? {},
      always: hook.always ?? false,
      directory: document.directory,
      source: sourceOf(document, at),
      sources: Object.fromEntries(variables.map((name) => [name, sourceOf(document, [...at, 'env', name], 'value')])),
    };
  });
}

function checkOf(check: PolicyCheck): Check {
  const expect = parseExpectation(check.expect);
  if (typeof expect === 'string') throw new Error(`unchecked expectation "${check.expect}"`);
  return check.sql === undefined ? { facts: check.facts ?? '', expect } : { sql: check.sql, expect };
}
