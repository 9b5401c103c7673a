import { addressOf } from './draft.ts';
import type { Step } from './step.ts';

/**
 * Lets a capture go to the first repository that was to get a copy of it when its own cannot be written to: the two steps
 * change places, and what waits for one of them waits for the one that now stores the snapshot there. The steps as they
 * were where there is no such repository.
 */
export function rerouteCapture(steps: readonly Step[], unwritable: ReadonlySet<string>): readonly Step[] {
  const capture = steps.find(({ action, kind }) => action === 'create' && kind === 'backup');
  if (capture === undefined || !unwritable.has(capture.repository)) return steps;
  const copy = steps.find(
    ({ action, snapshotFrom, repository }) =>
      action === 'copy' && snapshotFrom === capture.id && !unwritable.has(repository),
  );
  if (copy === undefined) return steps;
  const [first, second] = [capture.repository, copy.repository];
  return steps.map((step) => {
    if (step === capture) return at(step, second);
    if (step === copy) return { ...at(step, first), from: second };
    const from = step.snapshotFrom === capture.id && step.from === first ? second : step.from;
    const exchange = step.repository === first || step.repository === second;
    return { ...step, from, dependsOn: exchange ? step.dependsOn.map(other) : step.dependsOn };
  });

  function other(id: string): string {
    if (id === capture?.id) return copy?.id ?? id;
    return id === copy?.id ? (capture?.id ?? id) : id;
  }
}

const at = (step: Step, repository: string): Step => ({
  ...step,
  repository,
  address: addressOf(step.backup, repository),
});
