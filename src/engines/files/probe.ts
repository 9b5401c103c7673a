import { accessSync, constants } from 'node:fs';
import type { Context } from '../../context.ts';
import { BkpError, reasonOf } from '../../errors.ts';
import type { Probe, Problem, TargetOf } from '../engine.ts';
import { type ByteName, fromText, quoteName, toBuffer } from './byte-name.ts';
import { findRoots } from './capture-roots.ts';
import { createArchiveEstimate } from './estimate.ts';
import { selectMembers } from './select-members.ts';
import { findTar } from './tar-program.ts';

/** A larger tree is not measured: a look must stay cheap. */
const MOST_ENTRIES = 200_000;
const MOST_PROBLEMS = 10;

/** Looks whether a capture can start and how large it would be. Changes nothing. */
export async function probeFiles(target: TargetOf<'files'>, context: Context): Promise<Probe> {
  const problems: Problem[] = [];
  let tool: string | null = null;
  let estimatedBytes: number | null = null;
  const attempt = async (step: () => void | Promise<void>): Promise<void> => {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof BkpError) || error.code === 'interrupted') throw error;
      problems.push({ message: error.message, hint: error.hint });
    }
  };
  await attempt(async () => {
    tool = (await findTar(context)).version;
  });
  await attempt(async () => {
    const { paths } = findRoots(target);
    const estimate = createArchiveEstimate();
    const options = { workDir: fromText(context.workDir), signal: context.signal };
    const { isComplete } = await selectMembers(target, paths, options, (met) => {
      const stats = met.stat();
      if (stats === null) return true;
      estimate.add(stats);
      if (context.host.uid !== 0 && stats.isFile()) {
        const problem = readProblem(`/${met.name}`);
        if (problem !== null) problems.push(problem);
      }
      return estimate.entries < MOST_ENTRIES && problems.length < MOST_PROBLEMS;
    });
    if (isComplete) estimatedBytes = estimate.bytes();
  });
  return { versions: { server: null, tool }, estimatedBytes, problems, warnings: [] };
}

function readProblem(path: ByteName): Problem | null {
  try {
    accessSync(toBuffer(path), constants.R_OK);
    return null;
  } catch (error) {
    return {
      message: `cannot read ${quoteName(path)}: ${reasonOf(error)}`,
      hint: 'run bkp as a user who may read it, root for files of other users, or exclude it',
    };
  }
}
