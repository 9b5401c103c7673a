import { usageError } from '../errors.ts';
import { nearest } from '../policy/did-you-mean.ts';
import type { ResolvedPolicy } from '../policy/resolved-policy.ts';
import type { PlanOptions } from '../reconcile/observation.ts';
import { ACTIONS, type Action } from '../reconcile/step.ts';
import type { OptionValues } from './option-values.ts';

/** What the flags of `plan` and `apply` change about planning. */
export function planOptions(options: OptionValues, policy: ResolvedPolicy): PlanOptions {
  const backups = options.list('backup').map((name) => knownBackup(policy, name));
  const only = options.text('only');
  const maxPrune = options.integer('maxPrune');
  return {
    ...(backups.length === 0 ? {} : { backups }),
    ...(only === undefined ? {} : { only: readActions(only) }),
    ...(options.flag('prune') ? {} : { noPrune: true }),
    ...(options.flag('pruneRemoved') ? { pruneRemoved: true } : {}),
    ...(maxPrune === undefined ? {} : { maxPrune }),
    ...(options.flag('initRepositories') ? { initRepositories: true } : {}),
  };
}

/** The name of a backup of the policy; anything else is a `usage` error with the nearest name. */
export function knownBackup(policy: ResolvedPolicy, name: string): string {
  const names = policy.backups.map((backup) => backup.name);
  if (names.includes(name)) return name;
  const near = nearest(name, names);
  throw usageError(
    `cannot find backup ${name}: the policy has ${names.join(', ') || 'none'}`,
    near === undefined ? {} : { hint: `did you mean ${near}?` },
  );
}

function readActions(text: string): readonly Action[] {
  return text.split(',').map((word) => {
    const action = ACTIONS.find((known) => known === word.trim());
    if (action !== undefined) return action;
    const near = nearest(word.trim(), ACTIONS);
    throw usageError(`cannot read --only ${text}: ${word.trim()} is no action`, {
      hint: near === undefined ? `actions are ${ACTIONS.join(', ')}` : `did you mean ${near}?`,
    });
  });
}
