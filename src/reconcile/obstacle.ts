import type { DestinationState, RestoreMode } from '../engines/engine.ts';

/** Why a restore may not begin, and what would help. */
export interface Obstacle {
  readonly message: string;
  readonly hint: string | null;
}

export interface Destined {
  readonly name: string;
  /** Where that is, for people. */
  readonly place: string;
  readonly mode: RestoreMode;
  readonly state: DestinationState;
  /** What comes goes in beside what is there. */
  readonly isShared?: boolean;
}

/** What to say about the ways out, in the words of the place where the restore was asked for. */
export interface WaysOut {
  readonly mode: string;
  readonly place: string;
}

/** What stands there may be changed or overwritten; where nobody can look before, something does. */
export const isAtStake = ({ state }: Pick<DestinationState, 'state'>, mode: RestoreMode): boolean =>
  state === 'occupied' || (state === 'unknown' && mode !== 'new');

/** What stands at a destination decides whether a restore of that mode may begin; null means it may. */
export function obstacleOf({ name, place, mode, state, isShared = false }: Destined, ways: WaysOut): Obstacle | null {
  const [problem] = state.problems;
  if (problem !== undefined)
    return { message: `cannot restore ${name}: ${problem.message}`, hint: problem.hint ?? null };
  if (state.state === 'unsuitable') {
    return {
      message: `cannot restore ${name} to ${place}: it is ${state.description}`,
      hint: ways.place,
    };
  }
  if (mode !== 'new' || state.state !== 'occupied' || isShared) return null;
  return {
    message: `cannot restore ${name} to ${place}: it is taken by a ${state.description}`,
    hint: `${ways.mode}, or ${ways.place}`,
  };
}
