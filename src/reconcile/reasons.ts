/** The closed list of reasons a plan gives, with what each means. Add one only with its rule and its test. */
export const REASONS = {
  'first-snapshot': 'the backup has no good snapshot yet',
  'schedule-due': 'the last schedule tick has no good snapshot',
  'definition-changed': 'what is captured differs from the last good snapshot',
  requested: 'asked for on the command line or under `restores`',
  safety: 'the state that a restore would overwrite is captured first',
  'replica-missing': 'a repository lacks a snapshot that its retention keeps',
  'replica-corrupt': 'a stored artifact is missing or damaged',
  'verify-due': 'the stored bytes were not checked for as long as the policy allows',
  'verify-failed': 'the snapshot for the tick was found damaged and no good copy is left',
  'retention-exceeded': 'no retention rule keeps the snapshot',
  superseded: 'a newer good snapshot exists',
  'partial-upload': 'a capture or a removal was cut short and left files without a manifest',
  expired: 'its time to stay is over',
  done: 'this restore was carried out before',
  protected: 'the snapshot or its backup is protected',
  'last-good': 'the newest good or newest verified snapshot is never pruned',
  'max-prune': 'more prunes than `maxPrune` allows',
  'awaits-copy': 'a newer snapshot must be copied here first',
  'locked-until': 'the store lets nobody remove it before its lock ends or its hold is lifted',
  'identity-missing':
    'the repository has no bkp-repository.json, or another one than before; or a step must decrypt and no identity was given',
  'repository-unavailable': 'the repository cannot be read',
  unencryptable: 'its files are stored as they are, and the repository encrypts what it stores',
  unsigned: 'its manifest lacks a signature that the policy asks for, or has a wrong one',
  'backup-removed': 'the backup is not in the policy any more',
  'dependency-failed': 'a step it depends on failed',
  fresh: 'nothing is due',
  retained: 'a retention rule keeps the snapshot',
  disabled: 'the backup has `enabled: false`',
  filtered: 'left out by a filter of the command line',
} as const;

export type ReasonCode = keyof typeof REASONS;

export interface Reason {
  readonly code: ReasonCode;
  /** One clause for people. */
  readonly message: string;
  /** The same for machines. */
  readonly data: Readonly<Record<string, unknown>>;
}

export const reason = (code: ReasonCode, message: string, data: Readonly<Record<string, unknown>> = {}): Reason => ({
  code,
  message,
  data,
});
