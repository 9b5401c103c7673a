import { copyDatabase, type CopyInput, type CopyOutput } from './sqlite-copy.ts';

/** What the job process can be asked, by name: input and output are JSON. */
export interface SqliteCalls {
  readonly copy: readonly [input: CopyInput, output: CopyOutput];
}

const CALLS: { readonly [C in keyof SqliteCalls]: (input: SqliteCalls[C][0]) => SqliteCalls[C][1] } = {
  copy: copyDatabase,
};

/** Entry of the `sqlite` job: `{ call, input }`. */
export function runSqliteJob(request: unknown): unknown {
  const { call, input } = request as { readonly call: keyof SqliteCalls; readonly input: never };
  return CALLS[call](input);
}
