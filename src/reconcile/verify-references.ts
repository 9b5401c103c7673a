import { engineOf } from '../engines/registry.ts';
import { resolveTarget } from '../policy/references.ts';
import type { ManifestTarget } from '../snapshots/manifest.ts';
import { ownNames } from './backup-view.ts';
import { stoppable, type Session } from './session.ts';

/** Asks whether what a target left with its server is there, whole: why not, or null. */
export type AskServer = (name: string, target: ManifestTarget) => Promise<string | null>;

/** Asks the servers of a policy. Where it does not know a target any more, that is told: nothing is known of its reference. */
export const askServers =
  (session: Session): AskServer =>
  async (name, { references = [], type }) => {
    if (references.length === 0) return null;
    const target = Object.values(session.policy.targets).find((one) => ownNames(one).includes(name));
    const keeper = engineOf(type).references;
    if (target === undefined || keeper === undefined) {
      const message = `what ${name} left with its server is not looked at: the target is not in the policy`;
      session.context.emit({ type: 'warning', message });
      return null;
    }
    const { config, secrets } = resolveTarget(target, session.lookups);
    session.lookups.onSecrets(secrets);
    for (const reference of references) {
      const flaw = await keeper.flawOf(config, reference, stoppable(session));
      if (flaw !== null) return flaw;
    }
    return null;
  };
