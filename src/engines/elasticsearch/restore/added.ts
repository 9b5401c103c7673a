import { open, rm } from 'node:fs/promises';
import { readLines } from '../../../read-lines.ts';
import { pathOfIndex } from '../artifact/index-header.ts';
import type { Item } from './bulk.ts';
import type { Asked } from './index-steps.ts';

/** Documents that are taken away with one request. */
const AT_ONCE = 5000;

/** The documents that a merge added to an index, written down on this machine so that they can be taken away again. */
export interface Added {
  add(documents: readonly Pick<Item, 'lines' | 'index'>[]): Promise<void>;
  /** Takes from the index what was added, and nothing else. */
  takeAway(server: Asked, index: string): Promise<void>;
  remove(): Promise<void>;
}

export async function openAdded(path: string): Promise<Added> {
  const file = await open(path, 'wx', 0o600);
  const unwritten: string[] = [];
  let last = Promise.resolve();
  return {
    add(documents) {
      const lines = documents
        .map(({ lines: document, index }) => ({
          ...actionOf(document),
          // What goes into a data stream can be taken out of its own index only.
          ...(index === undefined ? {} : { _index: index }),
        }))
        .map((action) => `${JSON.stringify({ delete: action })}\n`)
        .join('');
      const writing = last.then(() => file.appendFile(lines));
      // What found no room on the disk is still known until the end.
      last = writing.catch(() => void unwritten.push(lines));
      return writing;
    },
    async takeAway(server, index) {
      await last;
      const send = async (lines: string): Promise<void> => {
        if (lines === '') return;
        await server.bytes({
          method: 'POST',
          path: `/${pathOfIndex(index)}/_bulk`,
          query: { refresh: true },
          lines: Buffer.from(lines),
          doing: `cannot take away what was merged into index ${index}`,
        });
      };
      let some: string[] = [];
      for await (const line of readLines(path)) {
        // A line that a full disk cut is among those that are still known.
        if (line.endsWith('}}')) some.push(`${line}\n`);
        if (some.length < AT_ONCE) continue;
        await send(some.join(''));
        some = [];
      }
      await send(some.join(''));
      for (const lines of unwritten) await send(lines);
    },
    async remove() {
      await last;
      await file.close();
      await rm(path, { force: true });
    },
  };
}

interface Action {
  readonly _id: string;
  readonly routing?: string;
}

/** Which document the two lines of one are about. */
export const actionOf = (document: Buffer): Action => {
  const parsed = JSON.parse(document.toString('utf8', 0, document.indexOf(0x0a))) as Record<string, Action>;
  const { _id, routing } = parsed['index'] ?? parsed['create'] ?? { _id: '' };
  return routing === undefined ? { _id } : { _id, routing };
};
