import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Context, ProcessEnd } from '../../context.ts';
import { abortReason, BkpError, guardError, integrityError, throwIfAborted, toolError } from '../../errors.ts';
import type { Facts, Problem, RestoreMode, RestoreOutcome, RestoreRequest } from '../engine.ts';
import { factsDifference } from '../facts-difference.ts';
import { requireFreeSpace } from '../free-space.ts';
import { singleArtifact } from './check.ts';
import { judge } from './judge-artifact.ts';
import { type CommandTarget, missingPrograms, requireProgram } from './programs.ts';

/** `EX_CANTCREAT` of sysexits.h: the program found something there and touched nothing. */
const REFUSED = 73;

/** What keeps a restore of that mode from starting. */
export function destinationProblems(
  target: CommandTarget,
  mode: RestoreMode | undefined,
  context: Context,
): readonly Problem[] {
  const { modes = ['replace'] } = target;
  const unknown = mode !== undefined && !modes.includes(mode);
  return [
    ...missingPrograms(target, ['restore', 'check', 'facts'], context),
    ...(unknown
      ? [
          {
            message: `its program is not said to know mode ${mode}`,
            hint: `${modes.map((one) => `--mode ${one}`).join(' or ')}, or add ${mode} to \`modes\` when the program does what BKP_MODE says`,
          },
        ]
      : []),
  ];
}

/**
 * Hands the artifact to the program as a whole file that its judges have seen: a program cannot tell a cut pipe from the
 * end of the data, and whoever writes into that pipe may be killed.
 */
export async function restoreCommand(
  request: RestoreRequest<CommandTarget>,
  context: Context,
): Promise<RestoreOutcome> {
  const { destination, mode, expectedFacts } = request;
  const artifact = singleArtifact(request.artifacts);
  const [problem] = destinationProblems(destination, mode, context);
  if (problem !== undefined) throw toolError(`cannot restore: ${problem.message}`, { hint: problem.hint });
  const folder = await mkdtemp(join(context.workDir, 'command-'));
  try {
    if (artifact.rawBytes !== null) await requireFreeSpace(folder, artifact.rawBytes, 'restore by a program');
    const path = join(folder, 'artifact');
    await artifact.into({ kind: 'file', path });
    const facts = await judge(createReadStream(path), destination, context);
    assertSame('the artifact', expectedFacts, facts, destination);
    throwIfAborted(context.signal);
    await runRestore(path, request, context);
    const found = mode === 'merge' ? null : await countRestored(destination, context);
    if (found !== null) assertSame('what was restored', expectedFacts ?? facts, found, destination);
    return { facts: found, keptOld: [], restored: mode === 'merge' ? {} : facts, conflicts: [], warnings: [] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runRestore(
  path: string,
  { destination, mode, snapshot }: RestoreRequest<CommandTarget>,
  context: Context,
): Promise<void> {
  const process = requireProgram(destination, 'restore', { BKP_MODE: mode, BKP_SNAPSHOT: snapshot });
  const file = await open(path);
  try {
    const end = await context.start(process, { stdin: file.fd, stdout: 'ignore' }).closed;
    if (context.signal.aborted) {
      // What a stopped program left is known to nobody else.
      const reason = end.exitCode === 0 ? 'after its program had ended well' : 'in the middle of its program';
      const hint = `the restore was stopped ${reason}: see what ${process.argv[0]} left`;
      const { code, message } = abortReason(context.signal);
      throw new BkpError(code, message, { hint });
    }
    if (end.exitCode !== 0) throw failure(process.argv[0], mode, end);
  } finally {
    await file.close();
  }
}

function failure(program: string, mode: RestoreMode, { exitCode, signal, stderr }: ProcessEnd): BkpError {
  const said = stderr.trim();
  const words = said === '' ? '' : `: ${said}`;
  if (exitCode === REFUSED)
    return guardError(`cannot restore: ${program} found something there${words}`, {
      hint: mode === 'new' ? 'nothing was touched: `--mode replace`, or `--into` another place' : undefined,
    });
  const how = exitCode === null ? `was ended by ${signal}` : `exited ${exitCode}`;
  return toolError(`cannot restore with ${program}: it ${how}${words}`, {
    hint: 'only the program knows what it had done by then: see what is there before the next try',
  });
}

/** Captures what was restored once more, only to count it; null where no program counts. */
async function countRestored(destination: CommandTarget, context: Context): Promise<Facts | null> {
  if (destination.facts === undefined) return null;
  const running = context.start(requireProgram(destination, 'capture'), { stdin: 'ignore', stdout: 'pipe' });
  try {
    const facts = await judge(running.stdout as Readable, destination, context);
    const { exitCode } = await running.closed;
    if (exitCode === 0) return facts;
    throw toolError(`cannot count what was restored: ${destination.capture[0]} exited ${exitCode}`);
  } finally {
    running.stop();
    await running.closed.catch(() => undefined);
  }
}

function assertSame(what: string, expected: Facts | null, found: Facts, { facts }: CommandTarget): void {
  if (expected === null || facts === undefined) return;
  const [difference] = factsDifference(expected, found);
  if (difference !== undefined)
    throw integrityError(`cannot trust ${what}: ${difference}`, { hint: 'the snapshot remains; see what wrote there' });
}
