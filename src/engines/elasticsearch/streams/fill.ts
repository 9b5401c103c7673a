import { guardError, integrityError } from '../../../errors.ts';
import { pathOfIndex } from '../artifact/index-header.ts';
import { actionOf } from '../restore/added.ts';
import { type BatchRequest, documentsOf, type Item, sendBatch } from '../restore/bulk.ts';
import { contentsOf, createIndex, deleteIndex } from '../restore/index-steps.ts';
import { asCreation } from '../restore/merge.ts';
import { sendAll } from '../restore/send-all.ts';
import type { Settings } from '../restore/settings.ts';
import type { WantedIndex } from '../restore/wanted.ts';
import type { Context } from '../../../context.ts';
import { fieldsOf } from '../json/walk.ts';
import { listIndices } from '../server/list-indices.ts';
import { newName } from '../server/own-names.ts';
import type { SearchServer } from '../server/server.ts';
import { rollOver } from './roll-over.ts';
import { listTemplates, templateFor } from './templates.ts';
import type { WantedStream } from './wanted.ts';

/** A document with this id is there already: an earlier attempt made it. */
const CONFLICT = 409;

export interface Filling {
  readonly server: SearchServer;
  readonly context: Context;
  /** Bulk requests under way at once. */
  readonly atOnce: number;
}

/** Makes a data stream by its template, empty. Throws where there is one. */
export async function makeStream(server: SearchServer, stream: string): Promise<void> {
  const doing = `cannot make data stream ${stream}`;
  const answer = await server.bytes({
    method: 'PUT',
    path: `/_data_stream/${pathOfIndex(stream)}`,
    doing,
    // Builds without this request make it when the first document comes.
    expected: [400, 405],
    isFinished: true,
    repeatable: false,
  });
  if (answer !== null) return;
  const { dataStreams } = await listIndices(server);
  if (dataStreams.some(({ name }) => name === stream)) throw guardError(`${doing}: somebody made it just now`);
}

/**
 * Fills an empty data stream from an export, with a new index wherever the captured stream had one. Throws unless everything
 * is in its place.
 */
export async function fillStream({ name, to, indices }: WantedStream, filling: Filling): Promise<void> {
  const { server } = filling;
  for (const [position, part] of indices.entries()) {
    if (position > 0) await rollOver(server, to, `cannot restore data stream ${to}`);
    await send(part, to, filling);
  }
  const { dataStreams } = await listIndices(server);
  const made = dataStreams.find((stream) => stream.name === to)?.indices ?? [];
  if (made.length !== indices.length)
    throw integrityError(`cannot restore data stream ${name}: it has ${made.length} indices, not ${indices.length}`);
  for (const [position, index] of made.entries()) {
    const { documents } = await contentsOf(server, index);
    const expected = indices[position]?.documents ?? 0;
    // Somebody may write to it already.
    if (documents < expected)
      throw integrityError(`cannot restore data stream ${name}: ${documents} of ${expected} documents are in ${index}`);
  }
}

/**
 * Fills indices like those that the template makes, one after the other, and deletes them again: what a new stream would
 * refuse is known before an old one goes.
 */
export async function tryDocuments({ to, indices }: WantedStream, filling: Filling): Promise<void> {
  const { server } = filling;
  const name = templateFor(to, await listTemplates(server)) ?? '';
  const answer = await server.bytes({
    method: 'POST',
    path: `/_index_template/_simulate/${encodeURIComponent(name)}`,
    doing: `cannot ask what the template makes of ${to}`,
  });
  const template = fieldsOf(fieldsOf(answer ?? EMPTY).get('template') ?? EMPTY);
  const mappings = [...fieldsOf(template.get('mappings') ?? EMPTY)].filter(([key]) => key !== '_data_stream_timestamp');
  const { index = {} } = JSON.parse((template.get('settings') ?? EMPTY).toString()) as {
    readonly index?: Readonly<Record<string, unknown>>;
  };
  const { lifecycle: _policy, ...own } = index;
  const settings = { index: { ...own, number_of_replicas: '0', hidden: 'true' } } as unknown as Settings;
  const body = `{${mappings.map(([key, value]) => `${JSON.stringify(key)}:${value.toString()}`).join(',')}}`;
  for (const part of indices) {
    const trial = newName(part.to);
    await deleteIndex(server, trial);
    try {
      await createIndex(server, trial, settings, Buffer.from(body));
      await send(part, trial, filling);
      const { documents } = await contentsOf(server, trial);
      if (documents !== part.documents)
        throw integrityError(`cannot restore ${part.name}: ${documents} of ${part.documents} documents came in`);
    } finally {
      await deleteIndex(server.afterwards, trial);
    }
  }
}

async function send({ name, artifact }: WantedIndex, place: string, filling: Filling): Promise<void> {
  if (artifact === null) return;
  const { server, context, atOnce } = filling;
  const see = (items: readonly Item[]): void => {
    for (const { status, reason, lines } of items) {
      if (reason !== null && status !== CONFLICT)
        throw integrityError(
          `cannot restore document ${JSON.stringify(actionOf(lines)._id)} of index ${name}: ${reason}`,
        );
    }
  };
  await sendAll(artifact, atOnce, async (batch) => {
    const lines = Buffer.concat(documentsOf(batch).map(asCreation));
    const request: BatchRequest = { index: place, batch: lines, isRepeatable: true, see };
    await sendBatch(server, request, context);
  });
}

const EMPTY = Buffer.from('{}');
