import type { SideResult, Verdict } from './case.ts';

/** Memory of the largest Node process of each side: how much it grows from the smallest to the largest, and how high. */
export function flatVerdicts(sides: readonly SideResult[]): readonly Verdict[] {
  const largest = sides.map(({ samples }) => Math.max(...samples.map(({ nodeRssMiB }) => nodeRssMiB ?? Infinity)));
  return [
    { label: 'largest / smallest', values: [Math.max(...largest) / Math.min(...largest)], unit: 'x', atMost: 1.15 },
    { label: 'Node', values: [Math.max(...largest)], unit: 'MiB', atMost: 200 },
  ];
}

/** Memory of the largest Node process of one side. */
export const nodeMemory = (sides: readonly SideResult[], name: string): Verdict => ({
  label: `${name}, Node`,
  values: sides.find((side) => side.name === name)?.samples.map(({ nodeRssMiB }) => nodeRssMiB ?? Infinity) ?? [],
  unit: 'MiB',
  atMost: 200,
});

/** Memory of the largest process of one side divided by another's, run by run. */
export function memoryRatio(sides: readonly SideResult[], name: string, peer: string, atMost: number): Verdict {
  const memoryOf = (side: string): readonly number[] =>
    sides.find((one) => one.name === side)?.samples.map(({ rssMiB }) => rssMiB) ?? [];
  const other = memoryOf(peer);
  const values = memoryOf(name).map((mib, run) => mib / (other[run] ?? Number.NaN));
  return { label: `${name} / ${peer}, memory`, values, unit: 'x', atMost };
}
