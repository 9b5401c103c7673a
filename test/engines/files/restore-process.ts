import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { RestoreOutcome } from '../../../src/engines/engine.ts';
import { BkpError, reasonOf } from '../../../src/errors.ts';
import { createContext } from '../../../src/system/create-context.ts';
import type { RestoreOrder } from './run-restore.ts';
import { artifactOf, restore } from './snapshots.ts';

export interface RestoreReport {
  /** Changes of the file system that the engine made in this process. */
  readonly steps: number;
  readonly outcome: RestoreOutcome | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

const STEPS = ['mkdirSync', 'renameSync', 'rmdirSync', 'unlinkSync', 'fsyncSync', 'writeSync', 'chmodSync'] as const;

const order = JSON.parse(process.argv[2] ?? '') as RestoreOrder;
let steps = 0;
let renames = 0;
const functions = fs as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
for (const name of STEPS) {
  const original = functions[name] as (...args: readonly unknown[]) => unknown;
  functions[name] = (...args) => {
    // Of what is written only journals are text; lists of names lie in the work folder.
    if (name === 'writeSync' && typeof args[1] !== 'string') return original(...args);
    if (++steps === order.killAt) process.kill(process.pid, 'SIGKILL');
    if (name === 'renameSync' && ++renames === order.failAt) {
      throw Object.assign(new Error('EIO: made by the test'), { code: 'EIO' });
    }
    return original(...args);
  };
}
syncBuiltinESMExports();

const { context, dispose } = await createContext({ workDirParent: order.workDirParent });
let report: RestoreReport;
try {
  const { archive, paths, root, mode } = order;
  const destination = root === undefined ? { paths } : { paths, root };
  const outcome = await restore({ mode, artifact: artifactOf(archive, context), destination }, context);
  report = { steps, outcome, error: null };
} catch (error) {
  const code = error instanceof BkpError ? error.code : 'bug';
  report = { steps, outcome: null, error: { code, message: reasonOf(error) } };
}
await dispose();
process.stdout.write(JSON.stringify(report));
