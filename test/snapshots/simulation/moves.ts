import { machineAt, type SteppedWorld } from './stepped-world.ts';

/** One thing that can happen next. */
export interface Move {
  readonly name: string;
  readonly make: () => Promise<void>;
  /** What it uses up of the bounds. */
  readonly costs: 'nothing' | 'pass' | 'kill' | 'deafen';
  /** The machine that moves, or null. */
  readonly by: number | null;
}

/** What a way has used up so far, and who moved last. */
export interface Used {
  readonly pass: number;
  readonly kill: number;
  readonly deafen: number;
  readonly turns: number;
  readonly last: number | null;
}

export interface Bounds {
  /** How often time may pass although somebody could act. */
  readonly passes: number;
  /** How many machines may die; the first one only, since the others are like it. */
  readonly kills: number;
  /** How many answers may get lost. */
  readonly deafens: number;
  /** How often one machine may be kept waiting although it could go on. */
  readonly turns: number;
  readonly stepMs: number;
  /** Renewals of leases happen in time, whatever else is slow; else not at all: everybody is asleep while time passes. */
  readonly renewsInTime: boolean;
}

/** Everything that can happen now, in an order that depends on nothing else. */
export function movesOf(world: SteppedWorld, bounds: Bounds, used: Used): Move[] {
  const moves: Move[] = [];
  let isLate = false;
  for (const [index, machine] of world.machines.entries()) {
    if (turnsOf(world, used, index) > bounds.turns) continue;
    for (const asked of machine.asked) {
      isLate ||= bounds.renewsInTime && asked.isRenewal;
      const name = `${index} ${asked.isRenewal ? 'renews: ' : ''}${asked.what}`;
      moves.push({ name, make: asked.perform, costs: 'nothing', by: index });
      if (used.deafen < bounds.deafens && index === 0)
        moves.push({ name: `${name}, unheard`, make: asked.performUnheard, costs: 'deafen', by: index });
    }
  }
  const isIdle = moves.length === 0;
  const isOver = world.machines.every(({ state }) => state !== 'working');
  if (!isOver && !isLate && (isIdle || used.pass < bounds.passes))
    moves.push({
      name: 'time passes',
      make: async () => world.pass(bounds.stepMs, bounds.renewsInTime),
      costs: isIdle ? 'nothing' : 'pass',
      by: null,
    });
  if (used.kill < bounds.kills && machineAt(world.machines, 0).state === 'working')
    moves.push({ name: '0 dies', make: async () => world.kill(0), costs: 'kill', by: null });
  return moves;
}

/** What is used up once a move is made; to be asked before it is. */
export const usedAfter = (world: SteppedWorld, used: Used, { costs, by }: Move): Used => ({
  ...used,
  ...(costs === 'nothing' ? {} : { [costs]: used[costs] + 1 }),
  turns: turnsOf(world, used, by),
  last: by ?? used.last,
});

/** Turns used up when a machine moves next. */
function turnsOf({ machines }: SteppedWorld, { turns, last }: Used, by: number | null): number {
  const isKeptWaiting = last !== null && by !== null && by !== last && machineAt(machines, last).asked.length > 0;
  return isKeptWaiting ? turns + 1 : turns;
}
