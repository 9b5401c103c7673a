import { areSameRecipients, shortRecipient } from '../encryption/recipient.ts';
import { newestMark } from '../snapshots/standing.ts';
import type { BackupView } from './backup-view.ts';
import { addressOf, type Draft } from './draft.ts';
import type { Observation } from './observation.ts';
import { reason } from './reasons.ts';
import type { PlanNotice, WithheldStep } from './step.ts';

/** Who may read a backup, and what this run can open. */
export interface Readers {
  /** To whom it is to be encrypted in a repository; empty where everybody may read; undefined where that is not known. */
  wanted(repository: string): readonly string[] | undefined;
  /** True for what is not encrypted, and for what an identity at hand may open. */
  opens(recipients: readonly string[]): boolean;
}

export function readersOf({ encryption, identities }: Observation, backup: string): Readers {
  return {
    wanted: (repository) => (encryption === undefined ? [] : encryption[backup]?.[repository]),
    opens: (recipients) =>
      recipients.length === 0 ||
      identities?.hasOthers === true ||
      recipients.some((recipient) => identities?.recipients.includes(recipient) === true),
  };
}

export interface Readable {
  readonly steps: readonly Draft[];
  readonly withheld: readonly WithheldStep[];
}

/**
 * Copies that this run can make: of the holders the one whose bytes can be taken as they are, else one that must not be
 * decrypted, else one that can be. What only an identity would make possible is withheld; not so a snapshot that is yet to
 * be captured, which is encrypted for every repository in the same pass. What cannot be encrypted at all stays where it is.
 */
export function planReadableCopies(view: BackupView, copies: readonly Draft[], readers: Readers): Readable {
  const steps: Draft[] = [];
  const withheld: WithheldStep[] = [];
  for (const step of copies) {
    const known = view.good.find(({ record }) => record.id === step.snapshot);
    const holders = known?.holders ?? [step.from ?? ''];
    const here = view.repositories.find(({ name }) => name === step.repository)?.snapshots.get(step.snapshot ?? '');
    const wanted = step.action === 'replace' ? (here?.recipients ?? []) : readers.wanted(step.repository);
    if (known?.record.listsFiles === true && (wanted ?? []).length > 0) {
      withheld.push(unencryptable(step));
      continue;
    }
    const same = holders.filter((name) => areSameRecipients(recipientsAt(view, readers, name, step), wanted ?? []));
    const others = [
      ...holders.filter((name) => recipientsAt(view, readers, name, step).length === 0),
      ...holders.filter((name) => readers.opens(recipientsAt(view, readers, name, step))),
    ];
    const [from] = [...same, ...others];
    const mustLook = step.action === 'replace' && newestMark(here?.marks ?? [], 'damaged')?.data['deep'] === true;
    if (from !== undefined && mustLook && !readers.opens(wanted ?? []))
      withheld.push(needsIdentity(step, wanted ?? []));
    else if (from !== undefined) steps.push({ ...step, from });
    else if (step.snapshot === null) steps.push(step);
    else withheld.push(needsIdentity(step, recipientsAt(view, readers, holders[0] ?? '', step)));
  }
  return { steps, withheld };
}

/**
 * Verifications that this run can make. Where the engine's own check must wait for an identity, the hashes are checked all
 * the same when they are due.
 */
export function planReadableVerifications(
  view: BackupView,
  readers: Readers,
  planAll: (view: BackupView) => readonly Draft[],
): Readable {
  const all = planAll(view);
  const isHeld = (step: Draft): boolean =>
    step.reason.data['deep'] === true && !readers.opens(recipientsAt(view, readers, step.repository, step));
  const held = all.filter(isHeld);
  if (held.length === 0) return { steps: all, withheld: [] };
  const { backup } = view;
  const shallow = planAll({ ...view, backup: { ...backup, verify: { ...backup.verify, deepEveryMs: null } } });
  const isInstead = ({ repository, snapshot }: Draft): boolean =>
    held.some((step) => step.repository === repository && step.snapshot === snapshot);
  return {
    steps: [...all.filter((step) => !isHeld(step)), ...shallow.filter(isInstead)],
    withheld: held.map((step) => needsIdentity(step, recipientsAt(view, readers, step.repository, step))),
  };
}

/** Why a restore must wait; null when it need not. */
export function identityNeeded(
  view: BackupView,
  readers: Readers,
  at: Pick<Draft, 'repository' | 'snapshot'>,
): string | null {
  const recipients = recipientsAt(view, readers, at.repository, at);
  return readers.opens(recipients) ? null : identitySentence(recipients);
}

/** To whom a snapshot is encrypted in a repository; one that is yet to be stored, to whom it will be. */
function recipientsAt(
  view: BackupView,
  readers: Readers,
  repository: string,
  { snapshot }: Pick<Draft, 'snapshot'>,
): readonly string[] {
  const record = view.repositories.find(({ name }) => name === repository)?.snapshots.get(snapshot ?? '');
  return record === undefined ? (readers.wanted(repository) ?? []) : (record.recipients ?? []);
}

const identitySentence = (recipients: readonly string[]): string =>
  `it must be decrypted: give the private key of ${recipients.map(shortRecipient).join(' or ')} by --identity FILE`;

const needsIdentity = (step: Draft, recipients: readonly string[]): WithheldStep => ({
  ...common(step),
  reason: reason('identity-missing', identitySentence(recipients), { recipients }),
});

const unencryptable = (step: Draft): WithheldStep => ({
  ...common(step),
  reason: reason('unencryptable', `its files are stored as they are, and ${step.repository} encrypts what it stores`),
});

/** Says once for each repository what it never gets. */
export function noticeUnencryptable(withheld: readonly WithheldStep[]): readonly PlanNotice[] {
  const left = withheld.filter((step) => step.reason.code === 'unencryptable');
  return [...Map.groupBy(left, ({ address }) => address)].map(([address, { length }]) => ({
    code: 'unencryptable',
    message: `${length === 1 ? 'a snapshot' : `${length} snapshots`} with mirrored files cannot be copied to ${address}, which is encrypted`,
    hint: 'they stay in the other repositories until retention or `bkp destroy` lets them go',
    address,
  }));
}

const common = ({ action, backup, repository, snapshot, source }: Draft): Omit<WithheldStep, 'reason'> => ({
  action,
  address: addressOf(backup, repository),
  snapshot,
  source,
});

/** Snapshots that other people can read than the policy says now, and whose private keys must be kept. */
export function noticeFormerRecipients(view: BackupView, readers: Readers): readonly PlanNotice[] {
  return view.repositories.flatMap(({ name, snapshots }) => {
    const wanted = readers.wanted(name);
    if (wanted === undefined) return [];
    const plain = [...snapshots.values()].filter(({ recipients }) => recipients === undefined).length;
    const open = wanted.length === 0 || plain === 0 ? [] : [notEncrypted(addressOf(view.backup.name, name), plain)];
    const counts = new Map<string, number>();
    for (const { recipients = [] } of snapshots.values()) {
      if (recipients.some((recipient) => wanted.includes(recipient))) continue;
      for (const recipient of recipients) counts.set(recipient, (counts.get(recipient) ?? 0) + 1);
    }
    const left = [...counts]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([recipient, count]) => ({
        code: 'recipient-left',
        message: `${count === 1 ? 'a snapshot' : `${count} snapshots`} of ${addressOf(view.backup.name, name)} can be read with the private key of ${shortRecipient(recipient)} only, which the policy names no more`,
        hint: 'keep that key as long as they stay',
        address: addressOf(view.backup.name, name),
      }));
    return [...open, ...left];
  });
}

const notEncrypted = (address: string, count: number): PlanNotice => ({
  code: 'not-encrypted',
  message: `${count === 1 ? 'a snapshot' : `${count} snapshots`} of ${address} can be read by everybody: stored before the policy asked for encryption`,
  hint: 'they stay as they are until retention or `bkp destroy` lets them go',
  address,
});
