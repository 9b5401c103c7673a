import type { RunRecord } from '../../src/snapshots/run-record.ts';

export const aRun = (id: string, parts: Partial<RunRecord> = {}): RunRecord => ({
  formatVersion: 1,
  id,
  policy: 'acme',
  backup: 'kong',
  command: 'apply',
  host: 'runner-1',
  bootId: 'boot-1',
  pid: 100,
  bkp: '0.1.0',
  startedAt: '2026-11-01T02:00:00Z',
  finishedAt: '2026-11-01T02:01:00Z',
  outcome: 'done',
  tick: null,
  definitionSha256: null,
  steps: [
    { action: 'create', address: 'kong@nas', reason: 'schedule-due', outcome: 'done', snapshot: id, error: null },
  ],
  owedHooks: [],
  setAside: [],
  ...parts,
});
