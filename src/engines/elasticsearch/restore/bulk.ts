import type { Readable } from 'node:stream';
import { integrityError, reasonOf, targetError, throwIfAborted } from '../../../errors.ts';
import { pathOfIndex } from '../artifact/index-header.ts';
import { reasonOfCause, withoutValues } from '../server/explain-error.ts';
import { pauseBefore } from '../server/pause.ts';
import type { SearchServer } from '../server/server.ts';
import type { Context } from '../../../context.ts';

const BATCH_BYTES = 4 * 1024 * 1024;
const NEWLINE = 0x0a;
const BUSY = 429;
/** Of the documents that a busy server sent back. */
const MOST_ATTEMPTS = 12;

/** What became of one document. */
export interface Item {
  readonly status: number;
  /** Why it did not come in, without what it holds. */
  readonly reason: string | null;
  /** Its action and its source, as they were sent. */
  readonly lines: Buffer;
  /** The index that it went into, where it was sent to a data stream. */
  readonly index?: string;
}

/** Splits lines of a bulk request into batches of whole documents, whatever their size. */
export async function* batchesOf(raw: Readable): AsyncGenerator<Buffer, void, undefined> {
  let pending: Buffer[] = [];
  let bytes = 0;
  let enough = BATCH_BYTES;
  for await (const chunk of raw as AsyncIterable<Buffer>) {
    pending.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes < enough) continue;
    const all = Buffer.concat(pending);
    const end = endOfDocuments(all);
    if (end > 0) yield all.subarray(0, end);
    pending = [all.subarray(end)];
    bytes = all.length - end;
    enough = Math.max(BATCH_BYTES, 2 * bytes);
  }
  const rest = Buffer.concat(pending);
  if (endOfDocuments(rest) !== rest.length)
    throw integrityError('cannot restore the documents: they end within one of them');
  if (rest.length > 0) yield rest;
}

/** Where the last whole document ends: after every second line. */
function endOfDocuments(lines: Buffer): number {
  let [end, count] = [0, 0];
  for (let at = lines.indexOf(NEWLINE); at !== -1; at = lines.indexOf(NEWLINE, at + 1)) {
    count += 1;
    if (count % 2 === 0) end = at + 1;
  }
  return end;
}

/** The documents of a batch, each with its two lines. */
export function documentsOf(batch: Buffer): readonly Buffer[] {
  const documents: Buffer[] = [];
  for (let at = 0; at < batch.length;) {
    const end = batch.indexOf(NEWLINE, batch.indexOf(NEWLINE, at) + 1) + 1;
    documents.push(batch.subarray(at, end));
    at = end;
  }
  return documents;
}

interface BulkAnswer {
  readonly errors: boolean;
  readonly items?: readonly Readonly<
    Record<string, { readonly status: number; readonly error?: unknown; readonly _index?: string }>
  >[];
}

export interface BatchRequest {
  readonly index: string;
  /** It is a data stream, which consists of several indices. */
  readonly isStream?: boolean;
  readonly batch: Buffer;
  /** False where a document may only be made once. */
  readonly isRepeatable: boolean;
  /** Sees what became of documents as soon as it is known, before anything else can fail. */
  readonly see: (items: readonly Item[]) => void | Promise<void>;
}

/**
 * Sends one batch, without any pipeline, and what a busy server sends back once more. Every document's answer is seen. An
 * abort waits for the answer of what is under way.
 */
export async function sendBatch(
  server: SearchServer,
  { index, isStream = false, batch, isRepeatable, see }: BatchRequest,
  { signal }: Context,
): Promise<void> {
  let lines = batch;
  for (let attempt = 1; ; attempt += 1) {
    const doing = `cannot write into index ${index}`;
    const answer = (await server
      .json({
        method: 'POST',
        path: `/${pathOfIndex(index)}/_bulk`,
        query: {
          pipeline: '_none',
          filter_path: `errors,items.*.status,items.*.error${isStream ? ',items.*._index' : ''}`,
        },
        lines,
        doing,
        repeatable: isRepeatable,
        isFinished: true,
      })
      .catch((error: unknown) => {
        if (isRepeatable || signal.aborted) throw error;
        throw targetError(reasonOf(error), {
          hint: `some of the last documents may be in index ${index} all the same; a merge adds the others`,
          cause: error,
        });
      })) as BulkAnswer;
    const documents = documentsOf(lines);
    if (answer.items?.length !== documents.length)
      throw targetError(`${doing}: ${answer.items?.length ?? 0} of ${documents.length} documents were answered`);
    const again: Buffer[] = [];
    const done: Item[] = [];
    for (const [position, item] of answer.items.entries()) {
      const [{ status, error, _index: made } = { status: 0 }] = Object.values(item);
      const document = documents[position] ?? Buffer.alloc(0);
      if (status === BUSY && attempt < MOST_ATTEMPTS) again.push(document);
      else
        done.push({
          status,
          reason: error === undefined ? null : withoutValues(reasonOfCause(error)),
          lines: document,
          ...(made === undefined ? {} : { index: made }),
        });
    }
    await see(done);
    throwIfAborted(signal);
    if (again.length === 0) return;
    lines = Buffer.concat(again);
    await pauseBefore(attempt, signal);
  }
}
