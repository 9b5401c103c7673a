import type { FactValue, Facts } from '../engine.ts';
import { type CopyInput, type CopyOutput, copyDatabase } from './copy.ts';
import { inspectCopy, type InspectInput } from './inspect.ts';
import { isLocked, type LockInput } from './lock.ts';
import { mergeDatabase, type MergeInput, type MergeOutput } from './merge.ts';
import { queryCopy, type QueryInput } from './query.ts';

/** What the job process can be asked, by name: input and output are JSON. */
export interface SqliteCalls {
  readonly copyDatabase: readonly [input: CopyInput, output: CopyOutput];
  readonly inspectCopy: readonly [input: InspectInput, output: Facts];
  readonly queryCopy: readonly [input: QueryInput, output: readonly FactValue[]];
  readonly isLocked: readonly [input: LockInput, output: boolean];
  readonly mergeDatabase: readonly [input: MergeInput, output: MergeOutput];
}

const CALLS: { readonly [C in keyof SqliteCalls]: (input: SqliteCalls[C][0]) => SqliteCalls[C][1] } = {
  copyDatabase,
  inspectCopy,
  queryCopy,
  isLocked,
  mergeDatabase,
};

/** Entry of the `sqlite` job: `{ call, input }`. Everything that blocks runs here, where an abort can stop it. */
export function runSqliteJob(request: unknown): unknown {
  const { call, input } = request as { readonly call: keyof SqliteCalls; readonly input: never };
  return CALLS[call](input);
}
