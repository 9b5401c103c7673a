import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type ContextOptions, createContext, type OwnedContext } from '../src/system/create-context.ts';

/** A temporary folder that goes with the test. */
export async function testFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'bkp-test-')));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A real context inside a test folder; both go with the test. */
export async function testContext(options: ContextOptions = {}): Promise<OwnedContext & { readonly folder: string }> {
  const folder = await testFolder();
  const owned = await createContext({ workDirParent: folder, ...options });
  onTestFinished(owned.dispose);
  return { ...owned, folder };
}
