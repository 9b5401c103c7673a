import type { FileSteps } from '../file-steps.ts';

/**
 * The same steps, where whoever wants a folder synced while it is being synced waits for the next sync of it, together
 * with all others who do: that one begins after what they did. Thousands of files in one folder need few syncs of it.
 */
export function shareSyncs(steps: FileSteps): FileSteps {
  const running = new Map<string, Promise<void>>();
  const waiting = new Map<string, Promise<void>>();

  function begin(path: string): Promise<void> {
    const syncing = steps.syncFolder(path).finally(() => {
      if (running.get(path) === syncing) running.delete(path);
    });
    running.set(path, syncing);
    return syncing;
  }

  async function afterRunning(path: string, before: Promise<void>): Promise<void> {
    // How it ended is told to those who wait for it.
    await before.catch(() => undefined);
    waiting.delete(path);
    await begin(path);
  }

  function syncFolder(path: string): Promise<void> {
    const before = running.get(path);
    if (before === undefined) return begin(path);
    const next = waiting.get(path) ?? afterRunning(path, before);
    waiting.set(path, next);
    return next;
  }

  return { ...steps, syncFolder };
}
