import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { Clock, Context, ProcessSpec } from '../context.ts';
import type { Identities } from '../encryption/identities.ts';
import { throwIfAborted, toolError } from '../errors.ts';
import type { RunEvent } from '../event.ts';
import { childEnvironment } from './child-environment.ts';
import { systemClock } from './clock.ts';
import { findTool } from './find-tool.ts';
import { describeHost } from './host.ts';
import { createRedactor } from './redact.ts';
import { collectCommand } from './run-command.ts';
import { collectJob, jobArgv } from './run-job.ts';
import { collectReader } from './run-reader.ts';
import { startProcess, type StartedProcess, type StartOptions } from './start-process.ts';
import { makeWorkDir } from './work-dir.ts';
import { keepYoungSpaceSmall } from './young-space.ts';

export interface ContextOptions {
  readonly signal?: AbortSignal;
  readonly emit?: (event: RunEvent) => void;
  /** Values to mask in what other programs say. */
  readonly secrets?: readonly string[];
  readonly clock?: Clock;
  /** Where the private folder is made; default the system's temporary folder. */
  readonly workDirParent?: string;
  /** Where PATH, HOME and LANG come from; default this process's own environment. */
  readonly environment?: NodeJS.ProcessEnv;
  /** What opens encrypted artifacts. */
  readonly identities?: Identities | undefined;
}

export interface OwnedContext {
  readonly context: Context;
  /** Secrets that became known later. */
  readonly registerSecrets: (values: readonly string[]) => void;
  /** Removes the private folder. Call it once, when nothing of this context runs any more. */
  readonly dispose: () => Promise<void>;
}

/** Makes what adapters are given, for one run of the program. */
export async function createContext(options: ContextOptions = {}): Promise<OwnedContext> {
  const host = describeHost();
  const environment = options.environment ?? process.env;
  const clock = options.clock ?? systemClock;
  const emit = (event: RunEvent): void => {
    // Bytes flow, through Node.js or past it.
    if (event.type === 'progress') keepYoungSpaceSmall();
    options.emit?.(event);
  };
  const redactor = createRedactor(options.secrets);
  const workDir = await makeWorkDir(options.workDirParent ?? tmpdir(), host);

  const withSignal = (signal: AbortSignal): Context => {
    const start = (spec: ProcessSpec, stdio: Pick<StartOptions, 'stdin' | 'stdout' | 'answers'>): StartedProcess => {
      throwIfAborted(signal);
      // Where programs run, their bytes flow through here.
      keepYoungSpaceSmall();
      const program = findTool(spec.argv[0], spec.env?.['PATH'] ?? environment['PATH']);
      if (program === undefined) {
        throw toolError(`cannot run ${spec.argv[0]}: no such program on PATH`, {
          hint: '`bkp doctor` names the package to install',
        });
      }
      return startProcess(spec, {
        ...stdio,
        program,
        environment: childEnvironment(environment, workDir, spec.env),
        signal,
        redactor,
      });
    };
    return {
      clock,
      host,
      signal,
      workDir,
      identities: options.identities,
      emit,
      start,
      withSignal: (earlier) => withSignal(AbortSignal.any([signal, earlier])),
      findTool: (name) => findTool(name, environment['PATH']),
      run: async (spec, runOptions = {}) => {
        const stdin = runOptions.stdin === undefined ? 'ignore' : 'pipe';
        return collectCommand(spec, start(spec, { stdin, stdout: 'pipe' }), runOptions, signal);
      },
      runJob: async (name, input) =>
        collectJob(name, start({ argv: jobArgv(name) }, { stdin: 'pipe', stdout: 'pipe' }), input, signal),
      startReader: (name, stdout) => {
        const running = start({ argv: jobArgv(`read-${name}`) }, { stdin: 'pipe', stdout, answers: true });
        if (running.answer === null) throw new Error('a reader without an answer');
        return { ...running, result: collectReader(running.answer) };
      },
    };
  };

  return {
    context: withSignal(options.signal ?? new AbortController().signal),
    registerSecrets: (values) => redactor.register(values),
    dispose: () => rm(workDir, { recursive: true, force: true }),
  };
}
