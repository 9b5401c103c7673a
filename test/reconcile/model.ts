import type { ResolvedBackup } from '../../src/policy/resolved-policy.ts';
import type { Observation, ObservedRepository } from '../../src/reconcile/observation.ts';
import type { Plan, Step } from '../../src/reconcile/step.ts';
import { dueTick } from '../../src/schedule/ticks.ts';
import type { MarkRecord, RepositoryInventory, SnapshotRecord } from '../../src/snapshots/inventory.ts';
import { protection } from '../../src/snapshots/standing.ts';
import { aSnapshot } from './builders.ts';

/** Called before each step with the world as it is then. */
export type Look = (step: Step, snapshots: readonly SnapshotRecord[]) => void;

/** A mark is later than all that the snapshot has, whatever the clock says. */
const nextMark = ({ marks }: SnapshotRecord, now: Date): string =>
  new Date(Math.max(now.getTime(), ...marks.map(({ at }) => Date.parse(at) + 1))).toISOString();

/** What repositories would hold if every step of a plan went well: repositories without bytes. */
export function simulate(
  made: Plan,
  observation: Observation,
  backup: ResolvedBackup,
  now: Date,
  look: Look = () => undefined,
): Observation {
  const inventories = new Map<string, RepositoryInventory>();
  for (const one of observation.repositories) if (one.state === 'ready') inventories.set(one.name, one.inventory);
  const madeBy = new Map<string, string>();
  const change = (name: string, change: (before: RepositoryInventory) => Partial<RepositoryInventory>): void => {
    const before = inventories.get(name);
    if (before === undefined) throw new Error(`a step writes to ${name}, which cannot be read`);
    inventories.set(name, { ...before, ...change(before) });
  };
  const find = (name: string, id: string): SnapshotRecord | undefined =>
    inventories.get(name)?.snapshots.find((snapshot) => snapshot.id === id);
  for (const step of made.steps) {
    look(step, inventories.get(step.repository)?.snapshots ?? []);
    const id = step.snapshot ?? madeBy.get(step.snapshotFrom ?? '') ?? '';
    const mark = (kind: MarkRecord['kind'], data: Record<string, unknown>): void =>
      change(step.repository, ({ snapshots }) => ({
        snapshots: snapshots.map((one) =>
          one.id === id
            ? { ...one, folderPresent: true, marks: [...one.marks, { kind, at: nextMark(one, now), data }] }
            : one,
        ),
      }));
    switch (step.action) {
      case 'create': {
        const tick = backup.schedule === null ? null : dueTick(backup.schedule, backup.timezone, now);
        const snapshot = { ...aSnapshot(now, backup), id: `${aSnapshot(now, backup).id.slice(0, -8)}newnewnw` };
        const record = { ...snapshot, tick: tick?.toISOString() ?? null, finishedAt: snapshot.startedAt };
        madeBy.set(step.id, record.id);
        change(step.repository, ({ snapshots }) => ({ snapshots: [...snapshots, record] }));
        break;
      }
      case 'copy': {
        const source = find(step.from ?? '', id);
        if (source === undefined) throw new Error(`${id} is not in ${step.from}`);
        if (find(step.repository, id) !== undefined) throw new Error(`${id} is in ${step.repository} already`);
        const marks =
          protection(source) === null ? [] : source.marks.filter(({ kind }) => kind === 'protected').slice(-1);
        // What an earlier try left is taken over.
        change(step.repository, ({ snapshots, remains }) => ({
          snapshots: [...snapshots, { ...source, marks, folderPresent: true }],
          remains: remains.filter((one) => one.id !== id),
        }));
        break;
      }
      case 'replace':
        mark('verified', { deep: true });
        break;
      case 'verify':
        mark('verified', { deep: step.reason.data['deep'] === true });
        break;
      case 'prune':
        change(step.repository, ({ snapshots, gone }) => ({
          snapshots: snapshots.filter((one) => one.id !== id),
          gone: [
            ...gone,
            { backup: step.backup, id, marks: [{ kind: 'released', at: now.toISOString(), data: { keys: ['a'] } }] },
          ],
        }));
        break;
      case 'clean':
        change(step.repository, ({ remains }) => ({ remains: remains.filter((one) => one.id !== id) }));
        break;
      case 'restore':
        throw new Error('the model restores nothing');
    }
  }
  return {
    ...observation,
    repositories: observation.repositories.map((one): ObservedRepository => {
      const inventory = inventories.get(one.name);
      return inventory === undefined ? one : { name: one.name, state: 'ready', inventory };
    }),
  };
}
