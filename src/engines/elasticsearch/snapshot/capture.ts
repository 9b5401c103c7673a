import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Context } from '../../../context.ts';
import type { Capture } from '../../engine.ts';
import type { Origin } from '../../references.ts';
import { definitionsReader, factsOfHeader, writeDefinitions } from '../artifact/definitions.ts';
import { type DefinitionsHeader, type IndexHeader, REFERENCE_FORMAT } from '../artifact/index-header.ts';
import { refuse } from '../capture/capture.ts';
import { chooseIndices } from '../capture/choose-indices.ts';
import { definitionOf } from '../capture/read-index.ts';
import { unseen } from '../capture/rights.ts';
import { listIndices } from '../server/list-indices.ts';
import { openServer, type SearchServer } from '../server/server.ts';
import type { SearchTarget } from '../server/settings.ts';
import { describeVersion } from '../server/version.ts';
import { globalsFor } from '../streams/globals-for.ts';
import { judgeStreams, lookAtStreams } from '../streams/look-at.ts';
import { judge, lookAt, type Looked } from './look-at.ts';
import { ensureRepository } from './repository.ts';
import { emptyFeatures, statesIn } from '../states/captured.ts';
import { judgeFeatures, statesToCapture } from '../states/states.ts';
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
    const listing = await listIndices(server);
    const { indices: chosen, streams: chosenStreams, problems } = chooseIndices(target, listing, keepsClosed(server));
    const states = statesToCapture(target);
    refuse([...problems, ...(await judgeFeatures(server, states.features))]);
    const repository = await ensureRepository(server, target);
    const looked: Looked[] = [];
    for (const { name, isOpen } of chosen) looked.push(await lookAt(server, name, isOpen));
    const open = new Set(listing.indices.filter(({ isOpen }) => isOpen).map(({ name }) => name));
    const lookedStreams = await lookAtStreams(server, chosenStreams, (name) => open.has(name));
    const globals = await globalsFor(target, server, lookedStreams);
    const begun = context.clock.now();
    const taken = await takeSnapshot(
      server,
      {
        repository: repository.name,
        name: nameFor(origin),
        indices: chosen.map(({ name }) => name),
        dataStreams: chosenStreams.map(({ name }) => name),
        states,
        origin,
      },
      context,
    );
    const ended = context.clock.now();
    const headers: IndexHeader[] = [];
    for (const one of looked) headers.push(await judge(server, one));
    const streams = await judgeStreams(server, lookedStreams, taken.indices);
    const definitions = [...globals, ...looked.map(({ described }) => definitionOf(described))];
    const { snapshot: name, uuid } = taken;
    const header: DefinitionsHeader = {
      format: REFERENCE_FORMAT,
      snapshot: {
        restore: `${pathOfSnapshot(repository.name, name).slice(1)}/_restore`,
        cluster: server.cluster,
        repository,
        name,
        uuid,
        ...statesIn(taken, states),
      },
      server: server.version,
      indices: headers,
      ...(streams.length === 0 ? {} : { dataStreams: streams }),
      definitions: definitions.length,
    };
    const bytes = writeDefinitions({ header, definitions });
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
      warnings: [
        ...(await unseen(server, target)),
        ...[...headers, ...streams.flatMap(({ indices }) => indices)].flatMap(warningsOf),
        ...emptyFeatures(taken, states),
      ],
      facts: async () => factsOfHeader(header),
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

const warningsOf = ({ name, isUncounted, isClosed }: IndexHeader): readonly string[] => [
  ...(isUncounted === true
    ? [`index ${name} was written to while the server took its snapshot: its documents are as they were counted before`]
    : []),
  ...(isClosed === true ? [`index ${name} is closed: its documents cannot be counted`] : []),
];
