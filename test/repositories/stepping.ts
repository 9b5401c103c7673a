import type { FileSteps } from '../../src/repositories/file-steps.ts';

/** Calls `before` ahead of every step, with its name, its number from 1 and the paths it is about. */
export function watchSteps(
  steps: FileSteps,
  before: (name: keyof FileSteps, number: number, paths: readonly string[]) => void | Promise<void>,
): FileSteps {
  let number = 0;
  const watch =
    <A extends readonly unknown[], R>(name: keyof FileSteps, step: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await before(
        name,
        ++number,
        args.filter((arg) => typeof arg === 'string'),
      );
      return step(...args);
    };
  return {
    makeFolder: watch('makeFolder', steps.makeFolder),
    createFile: watch('createFile', steps.createFile),
    write: watch('write', steps.write),
    syncFile: watch('syncFile', steps.syncFile),
    syncFolder: watch('syncFolder', steps.syncFolder),
    rename: watch('rename', steps.rename),
    link: watch('link', steps.link),
    reflink: watch('reflink', steps.reflink),
    removeFile: watch('removeFile', steps.removeFile),
    removeFolder: watch('removeFolder', steps.removeFolder),
  };
}

/** Fails the steps for which `errorFor` gives an errno code. */
export function failSteps(
  steps: FileSteps,
  errorFor: (name: keyof FileSteps, number: number, paths: readonly string[]) => string | undefined,
): FileSteps {
  return watchSteps(steps, (name, number, paths) => {
    const code = errorFor(name, number, paths);
    if (code !== undefined) throw Object.assign(new Error(code), { code, syscall: name });
  });
}
