import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Context } from '../../../context.ts';
import type { Capture } from '../../engine.ts';
import type { Origin } from '../../references.ts';
import { definitionsReader, factsOfIndices, writeDefinitions } from '../artifact/definitions.ts';
import { type IndexHeader, REFERENCE_FORMAT } from '../artifact/index-header.ts';
import { refuse } from '../capture/capture.ts';
import { chooseIndices } from '../capture/choose-indices.ts';
import { readGlobals } from '../capture/read-globals.ts';
import { definitionOf, describeIndex, type DescribedIndex, headerOf } from '../capture/read-index.ts';
import { unseen } from '../capture/rights.ts';
import { contentsOf } from '../restore/index-steps.ts';
import { listIndices } from '../server/list-indices.ts';
import { openServer, type SearchServer } from '../server/server.ts';
import type { SearchTarget } from '../server/settings.ts';
import { describeVersion } from '../server/version.ts';
import { lastOperations } from './count-unchanged.ts';
import { ensureRepository } from './repository.ts';
import { pathOfSnapshot } from './server-snapshot.ts';
import { takeSnapshot } from './take.ts';

/** Where a cluster keeps what it left in one of its repositories. */
export const storeOf = (cluster: string, repository: string): string => `${cluster}/${repository}`;

/** Elasticsearch brings closed indices back; OpenSearch leaves them out of its snapshots in silence. */
export const keepsClosed = ({ version }: SearchServer): boolean => version.product === 'elasticsearch';

/** Has the server take a snapshot into its own repository, and captures where that is and what is in it. */
export async function captureSnapshot(
  target: SearchTarget,
  context: Context,
  origin: Origin | undefined,
): Promise<Capture> {
  const server = await openServer(target, context);
  try {
    const { indices: chosen, problems } = chooseIndices(target, await listIndices(server), keepsClosed(server));
    refuse(problems);
    const repository = await ensureRepository(server, target);
    const looked: Looked[] = [];
    for (const { name, isOpen } of chosen) looked.push(await lookAt(server, name, isOpen));
    const globals = target.globals === false ? [] : await readGlobals(server);
    const begun = context.clock.now();
    const taken = await takeSnapshot(
      server,
      { repository: repository.name, name: nameFor(origin), indices: chosen.map(({ name }) => name), origin },
      context,
    );
    const ended = context.clock.now();
    const headers: IndexHeader[] = [];
    for (const one of looked) headers.push(await judge(server, one));
    const definitions = [...globals, ...looked.map(({ described }) => definitionOf(described))];
    const { snapshot: name, uuid } = taken;
    const bytes = writeDefinitions({
      header: {
        format: REFERENCE_FORMAT,
        snapshot: {
          restore: `${pathOfSnapshot(repository.name, name).slice(1)}/_restore`,
          cluster: server.cluster,
          repository,
          name,
          uuid,
        },
        server: server.version,
        indices: headers,
        definitions: definitions.length,
      },
      definitions,
    });
    return {
      artifacts: [
        {
          name: '',
          extension: 'ndjson',
          format: REFERENCE_FORMAT,
          source: { kind: 'stream', open: () => Readable.from([bytes], { objectMode: false }) },
          estimatedBytes: bytes.length,
          inspect: { open: definitionsReader },
        },
      ],
      references: [{ store: storeOf(server.cluster, repository.name), name, id: uuid }],
      pointInTime: [begun, ended],
      versions: { server: describeVersion(server.version), tool: null },
      warnings: [...(await unseen(server, target)), ...headers.flatMap(warningsOf)],
      facts: async () => factsOfIndices(headers),
      close: () => server.close(),
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** One that nobody else has; names of snapshots have no capital letters. */
const nameFor = (origin: Origin | undefined): string =>
  ['bkp', ...(origin === undefined ? [] : [origin.snapshot, origin.target]), randomBytes(6).toString('hex')]
    .join('-')
    .toLowerCase();

interface Looked {
  readonly described: DescribedIndex;
  readonly isOpen: boolean;
  readonly documents: number;
  readonly last: string;
}

async function lookAt(server: SearchServer, name: string, isOpen: boolean): Promise<Looked> {
  const described = await describeIndex(server, name);
  if (!isOpen) return { described, isOpen, documents: 0, last: '' };
  const last = await lastOperations(server, name);
  const { documents } = await contentsOf(server, name);
  return { described, isOpen, documents, last };
}

/** What was counted before holds where nothing was written until the snapshot was there. */
async function judge(server: SearchServer, { described, isOpen, documents, last }: Looked): Promise<IndexHeader> {
  const header = headerOf(described, documents);
  if (!isOpen) return { ...header, isClosed: true };
  // An index that was deleted meanwhile is in the snapshot all the same.
  const now = await lastOperations(server, described.name).catch(() => 'gone');
  return now === last && !now.includes('unknown') ? header : { ...header, isUncounted: true };
}

const warningsOf = ({ name, isUncounted, isClosed }: IndexHeader): readonly string[] => [
  ...(isUncounted === true
    ? [`index ${name} was written to while the server took its snapshot: its documents are as they were counted before`]
    : []),
  ...(isClosed === true ? [`index ${name} is closed: its documents cannot be counted`] : []),
];
