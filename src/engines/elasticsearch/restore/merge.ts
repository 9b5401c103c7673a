import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Context } from '../../../context.ts';
import { reasonOf, targetError } from '../../../errors.ts';
import { pathOfIndex } from '../artifact/index-header.ts';
import type { SearchServer } from '../server/server.ts';
import { actionOf, openAdded } from './added.ts';
import { documentsOf, type Item, sendBatch } from './bulk.ts';
import { sendAll } from './send-all.ts';
import { missingIn } from '../streams/missing.ts';
import type { WantedIndex } from './wanted.ts';

const CONFLICT = 409;
const CREATED = 201;
const MOST_CONFLICTS = 100;

export interface MergeResult {
  /** Documents that came back. */
  readonly added: number;
  /** Documents that could not; the first of them. */
  readonly conflicts: readonly string[];
  /** Takes away again what was added. */
  readonly takeBack: () => Promise<void>;
  /** From then on nothing can be taken back. */
  readonly close: () => Promise<void>;
}

/**
 * Brings documents back whose id is missing; what is there wins. What it adds is written down on this machine, so that a
 * failure, an abort or a conflict takes exactly that away again; what a broken connection leaves unanswered stays.
 */
export async function mergeIndex(
  wanted: WantedIndex,
  {
    server,
    context,
    atOnce,
    skipConflicts,
    stream,
  }: {
    readonly server: SearchServer;
    readonly context: Context;
    readonly atOnce: number;
    readonly skipConflicts: boolean;
    /** The data stream that they go into; absent where they go into their own index. */
    readonly stream?: string;
  },
): Promise<MergeResult> {
  const name = createHash('sha256').update(wanted.to).digest('hex').slice(0, 16);
  const journal = await openAdded(join(context.workDir, `merged-${name}`));
  const place = stream ?? wanted.to;
  const conflicts: string[] = [];
  let added = 0;
  const see = async (items: readonly Item[]): Promise<void> => {
    const made = items.filter(({ status }) => status === CREATED);
    added += made.length;
    for (const { status, reason, lines } of items) {
      if (reason !== null && status !== CONFLICT && conflicts.length < MOST_CONFLICTS)
        conflicts.push(`document ${JSON.stringify(actionOf(lines)._id)} of ${place}: ${reason}`);
    }
    await journal.add(made);
  };
  try {
    if (wanted.artifact !== null)
      await sendAll(wanted.artifact, atOnce, async (batch) => {
        const documents = documentsOf(batch);
        const missing = stream === undefined ? documents : await missingIn(server, stream, documents);
        if (missing.length === 0) return;
        const lines = Buffer.concat(missing.map(asCreation));
        const isStream = stream !== undefined;
        await sendBatch(server, { index: place, isStream, batch: lines, isRepeatable: false, see }, context);
      });
    await server.bytes({
      method: 'POST',
      path: `/${pathOfIndex(place)}/_refresh`,
      doing: `cannot refresh ${place}`,
    });
    if (conflicts.length > 0 && !skipConflicts)
      throw targetError(`cannot merge into ${place}: ${conflicts.slice(0, 5).join('; ')}`, {
        hint: 'nothing was changed; `--skip-conflicts` leaves these documents out',
      });
    return {
      added,
      conflicts,
      takeBack: () => journal.takeAway(server.afterwards, place),
      close: () => journal.remove(),
    };
  } catch (error) {
    await takeBackAfter(error, place, () => journal.takeAway(server.afterwards, place));
    await journal.remove();
    throw error;
  }
}

/** Takes back what was merged after a failure. Where that fails too, the error says so. */
export async function takeBackAfter(error: unknown, index: string, takeBack: () => Promise<void>): Promise<void> {
  try {
    await takeBack();
  } catch (failure) {
    throw targetError(`${reasonOf(error)}; nor could what came in be taken away: ${reasonOf(failure)}`, {
      hint: `${index} has some of the missing documents; a merge adds the others, nothing was overwritten`,
      cause: error,
    });
  }
}

/** The same document, made only where there is none; a version of its own cannot be asked for then. */
export const asCreation = (document: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(JSON.stringify({ create: actionOf(document) })),
    document.subarray(document.indexOf(0x0a)),
  ]);
