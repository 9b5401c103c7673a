import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { Context } from '../../../context.ts';
import { reasonOf, targetError } from '../../../errors.ts';
import { pathOfIndex } from '../artifact/index-header.ts';
import type { SearchServer } from '../server/server.ts';
import { batchesOf, documentsOf, idOf, sendBatch } from './bulk.ts';
import { sendAll } from './send-all.ts';
import type { WantedIndex } from './wanted.ts';

const CONFLICT = 409;
const CREATED = 201;
const MOST_CONFLICTS = 100;

export interface MergeResult {
  /** Documents that came back. */
  readonly added: number;
  /** Documents that could not; the first of them. */
  readonly conflicts: readonly string[];
}

/**
 * Brings documents back whose id is missing; what is there wins. What it adds is written down on this machine, so that a
 * failure, an abort or a conflict takes exactly that away again.
 */
export async function mergeIndex(
  wanted: WantedIndex,
  {
    server,
    context,
    atOnce,
    skipConflicts,
  }: {
    readonly server: SearchServer;
    readonly context: Context;
    readonly atOnce: number;
    readonly skipConflicts: boolean;
  },
): Promise<MergeResult> {
  const path = join(context.workDir, `merged-${createHash('sha256').update(wanted.to).digest('hex').slice(0, 16)}`);
  const journal = createWriteStream(path, { mode: 0o600 });
  const conflicts: string[] = [];
  let added = 0;
  try {
    if (wanted.artifact !== null)
      await sendAll(wanted.artifact, atOnce, async (batch) => {
        const lines = Buffer.concat(documentsOf(batch).map(asCreation));
        const items = await sendBatch(server, { index: wanted.to, batch: lines, isRepeatable: false }, context).catch(
          async (error: unknown) => {
            // Nobody knows which of them came in.
            await write(journal, documentsOf(lines));
            throw error;
          },
        );
        const made = items.filter(({ status }) => status === CREATED);
        added += made.length;
        await write(
          journal,
          made.map((item) => item.lines),
        );
        for (const { status, reason, lines: document } of items) {
          if (reason === null || status === CONFLICT) continue;
          if (conflicts.length < MOST_CONFLICTS)
            conflicts.push(`document ${JSON.stringify(idOf(document))} of index ${wanted.to}: ${reason}`);
        }
      });
    await server.bytes({
      method: 'POST',
      path: `/${pathOfIndex(wanted.to)}/_refresh`,
      doing: `cannot refresh index ${wanted.to}`,
    });
    if (conflicts.length > 0 && !skipConflicts)
      throw targetError(`cannot merge into index ${wanted.to}: ${conflicts.slice(0, 5).join('; ')}`, {
        hint: 'nothing was changed; `--skip-conflicts` leaves these documents out',
      });
    return { added, conflicts };
  } catch (error) {
    journal.end();
    await finished(journal);
    await takeAway(path, wanted.to, server, error);
    throw error;
  } finally {
    journal.destroy();
    await rm(path, { force: true });
  }
}

interface Action {
  readonly _id: string;
  readonly routing?: string;
}

const actionOf = (document: Buffer): Action => {
  const parsed = JSON.parse(document.toString('utf8', 0, document.indexOf(0x0a))) as Record<string, Action>;
  const { _id, routing } = parsed['index'] ?? parsed['create'] ?? { _id: '' };
  return routing === undefined ? { _id } : { _id, routing };
};

/** The same document, made only where there is none; a version of its own cannot be asked for then. */
const asCreation = (document: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(JSON.stringify({ create: actionOf(document) })),
    document.subarray(document.indexOf(0x0a)),
  ]);

/** Pairs of lines, so that they are read back like any others. */
async function write(journal: ReturnType<typeof createWriteStream>, documents: readonly Buffer[]): Promise<void> {
  const lines = documents.map((document) => `${JSON.stringify({ delete: actionOf(document) })}\n\n`).join('');
  if (lines !== '' && !journal.write(lines)) await once(journal, 'drain');
}

async function takeAway(path: string, index: string, server: SearchServer, error: unknown): Promise<void> {
  try {
    for await (const pairs of batchesOf(createReadStream(path))) {
      const lines = Buffer.from(pairs.toString().replaceAll('\n\n', '\n'));
      await server.afterwards.bytes({
        method: 'POST',
        path: `/${pathOfIndex(index)}/_bulk`,
        query: { refresh: true },
        lines,
        doing: `cannot take away what was merged into index ${index}`,
      });
    }
  } catch (failure) {
    throw targetError(`${reasonOf(error)}; nor could what came in be taken away: ${reasonOf(failure)}`, {
      hint: `index ${index} has some of the missing documents; a merge adds the others, nothing was overwritten`,
      cause: error,
    });
  }
}
