import type { Target } from '../generated/policy.ts';

/** True where captures of a target stay with its server and a snapshot only tells where. Known without its engine. */
export const leavesReferences = (target: Partial<Target>): boolean =>
  target.type === 'elasticsearch' && target.method === 'snapshot';
