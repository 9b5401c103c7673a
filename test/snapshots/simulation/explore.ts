import { movesOf, type Bounds, type Used, usedAfter } from './moves.ts';
import type { SteppedWorld } from './stepped-world.ts';

/** A world under way with what must hold in it. */
export interface Trial {
  readonly world: SteppedWorld;
  /** Called after every move that changed the store; throws what is wrong. */
  readonly look: () => Promise<void>;
  /** Called when all work is over. */
  readonly end: () => Promise<void>;
  /** What the trial remembers of the way that it took, as far as it matters. */
  readonly memory: () => string;
}

export interface Explored {
  readonly states: number;
  readonly ends: number;
}

/**
 * Goes every way that a trial can take within the bounds, each state once: what can happen from two equal states is the
 * same. Throws with the way to what is wrong.
 */
export async function explore(begin: () => Trial, bounds: Bounds): Promise<Explored> {
  const seen = new Set<string>();
  const open: (readonly number[])[] = [[]];
  let ends = 0;
  for (let way = open.pop(); way !== undefined; way = open.pop()) {
    const path: string[] = [];
    try {
      if (await follow(begin(), way, bounds, seen, open, path)) ends += 1;
    } catch (error) {
      throw new Error(`${String(error)}\nafter\n  ${path.join('\n  ')}`, { cause: error });
    }
  }
  return { states: seen.size, ends };
}

/** Goes one way, and from its end on into what nobody saw; true where that came to the end of all work. */
async function follow(
  { world, look, end, memory }: Trial,
  way: readonly number[],
  bounds: Bounds,
  seen: Set<string>,
  open: (readonly number[])[],
  path: string[],
): Promise<boolean> {
  let used: Used = { pass: 0, kill: 0, deafen: 0, turns: 0, last: null };
  const taken: number[] = [];
  await world.settle();
  for (;;) {
    const isKnown = taken.length < way.length;
    if (!isKnown) {
      const state = `${world.digest()} ${memory()} ${Object.values(used).join(' ')}`;
      if (seen.has(state)) return false;
      seen.add(state);
    }
    const moves = movesOf(world, bounds, used);
    if (moves.length === 0) {
      await end();
      return true;
    }
    if (!isKnown) for (let other = moves.length - 1; other > 0; other -= 1) open.push([...taken, other]);
    const choice = way[taken.length] ?? 0;
    const move = moves[choice];
    if (move === undefined) throw new Error(`the way cannot be gone again: ${path.join(', ')}`);
    taken.push(choice);
    path.push(move.name);
    used = usedAfter(world, used, move);
    const before = world.store.writes + world.store.objects.size;
    await move.make();
    await world.settle();
    if (taken.length >= way.length && before !== world.store.writes + world.store.objects.size) await look();
  }
}
