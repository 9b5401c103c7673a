import type { RestoreMode } from '../engines/engine.ts';
import { usageError } from '../errors.ts';
import { parseIntoFlags } from '../policy/overrides.ts';
import type { RestoreOrder } from '../reconcile/prepare-restore.ts';
import type { Session } from '../reconcile/session.ts';
import { workingDirectory } from '../system/working-directory.ts';
import type { OptionValues } from './option-values.ts';

/** What the options of a restore ask for; `--mode` is `new` where it is not given. */
export function restoreOrder(session: Session, reference: string, options: OptionValues): RestoreOrder {
  const backup = session.policy.backups.find(
    (one) => reference.startsWith(`${one.name}@`) || one.formerly.some((name) => reference.startsWith(`${name}@`)),
  );
  const known =
    backup === undefined
      ? session.policy.targets
      : Object.fromEntries(backup.targets.map((target) => [target.name, target]));
  const chosen = options.list('target');
  for (const name of chosen) {
    if (!(name in known))
      throw usageError(
        `cannot restore target ${name}: ${backup?.name ?? 'the policy'} has ${Object.keys(known).join(', ')}`,
      );
  }
  const wanted = chosen.length === 0 ? Object.keys(known) : chosen;
  const types = Object.fromEntries(
    wanted.flatMap((name) => (known[name] === undefined ? [] : [[name, known[name].config.type]])),
  );
  const mode = readMode(options.text('mode'));
  return {
    targets: chosen,
    into: parseIntoFlags(options.list('into'), types, workingDirectory()),
    mode: () => mode,
    paths: options.list('path'),
    noOwner: false,
  };
}

const readMode = (text: string | undefined): RestoreMode => (text === 'replace' || text === 'merge' ? text : 'new');
