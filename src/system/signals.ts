import { interruptedError } from '../errors.ts';

/**
 * SIGINT and SIGTERM as an abort signal; a second one of either ends the process at once. Heard until the process is
 * gone: a signal that comes between the last step and the exit changes neither the work nor the exit code.
 */
export function installSignals(): AbortSignal {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(interruptedError(`cannot go on: ${name} received`));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}
