import type { Draft } from './draft.ts';

/** A step that cleans, but for what it is about. */
export const emptyClean: Omit<Draft, 'backup' | 'repository' | 'reason'> = {
  action: 'clean',
  kind: 'backup',
  targets: [],
  from: null,
  snapshot: null,
  snapshotFrom: null,
  artifacts: [],
  destination: null,
  mode: null,
  hooks: [],
  estimate: { readBytes: 0, writeBytes: 0 },
  source: null,
  destructive: false,
  dependsOn: [],
};
