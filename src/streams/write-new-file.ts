import { open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasErrnoCode, reasonOf, targetError, throwIfAborted } from '../errors.ts';
import { assertRawBytes, decodeToNode, type DecodeFlow, startDecoder } from './decode-flow.ts';

/**
 * Decodes into a new file with mode 0600, synced. Programs decode straight into it, past Node; without them the bytes
 * are piped. Leaves no half file.
 */
export async function writeNewFile(path: string, flow: DecodeFlow): Promise<void> {
  const handle = await open(path, 'wx', 0o600).catch((error: unknown) => {
    const reason = hasErrnoCode(error, 'EEXIST') ? 'it exists already' : reasonOf(error);
    throw targetError(`cannot create ${path}: ${reason}`, { cause: error });
  });
  try {
    const { programs, transform } = flow.decoder;
    if (programs.length > 0 && transform === undefined) {
      const stages = flow.addStages();
      await startDecoder(flow, handle.fd, stages);
      await stages.finished();
    } else await handle.writeFile(await decodeToNode(flow));
    throwIfAborted(flow.context.signal);
    assertRawBytes(flow, (await handle.stat()).size);
    await handle.sync();
    await handle.close();
    await syncFolder(dirname(path));
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(path, { force: true });
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
