import type { Readable } from 'node:stream';
import { integrityError } from '../../../errors.ts';
import type { Facts, IncomingArtifact, RawReader } from '../../engine.ts';
import {
  type Definition,
  DEFINITIONS_FORMAT,
  type DefinitionsHeader,
  type IndexHeader,
  partName,
  REFERENCE_FORMAT,
  type StreamHeader,
} from './index-header.ts';

/** What a capture says of everything but documents. */
export interface Definitions {
  readonly header: DefinitionsHeader;
  /** In the order in which they can be made. */
  readonly definitions: readonly Definition[];
}

/** One line of JSON, then for each definition a line with its path and one with its body. */
export const writeDefinitions = ({ header, definitions }: Definitions): Buffer =>
  Buffer.concat([
    Buffer.from(`${JSON.stringify(header)}\n`),
    ...definitions.flatMap(({ path, body }) => [Buffer.from(`${path}\n`), body, Buffer.from('\n')]),
  ]);

/** Reads what `writeDefinitions` wrote. Throws `integrity` where it is cut. */
function parseDefinitions(bytes: Buffer): Definitions {
  const lines: Buffer[] = [];
  let at = 0;
  for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, at)) {
    lines.push(bytes.subarray(at, end));
    at = end + 1;
  }
  const header = readHeader(lines[0]);
  if (at !== bytes.length || lines.length !== 1 + 2 * header.definitions)
    throw integrityError('cannot trust the definitions: they are cut');
  const definitions = Array.from({ length: header.definitions }, (_, index) => ({
    path: lines[1 + 2 * index]?.toString() ?? '',
    body: lines[2 + 2 * index] ?? Buffer.alloc(0),
  }));
  return { header, definitions };
}

function readHeader(line: Buffer | undefined): DefinitionsHeader {
  try {
    const header = JSON.parse(line?.toString() ?? '') as DefinitionsHeader;
    if (isHeader(header)) return header;
  } catch {
    // Told below.
  }
  throw integrityError('cannot trust the definitions: they have no beginning');
}

const isHeader = ({ format, indices, snapshot }: DefinitionsHeader): boolean =>
  Array.isArray(indices) &&
  (format === DEFINITIONS_FORMAT || (format === REFERENCE_FORMAT && typeof snapshot?.uuid === 'string'));

/** Reads definitions as they pass; tells of the indices that leave no documents, which nobody else counts. */
export function definitionsReader(): RawReader {
  const chunks: Buffer[] = [];
  return {
    push: (chunk) => void chunks.push(Buffer.from(chunk)),
    end() {
      const { header } = parseDefinitions(Buffer.concat(chunks));
      if (header.snapshot !== undefined) return factsOfHeader(header);
      const empty = allIndices(header).filter(({ documents }) => documents === 0);
      const streams = Object.fromEntries((header.dataStreams ?? []).map(documentsOfStream));
      return { ...factsOfHeader(header), documents: { ...documentsOf(empty), ...streams } };
    },
  };
}

/** Reads the definitions among the artifacts of a capture. */
export async function readDefinitions(artifacts: readonly IncomingArtifact[]): Promise<Definitions> {
  const artifact = artifacts.find(({ format }) => format === DEFINITIONS_FORMAT || format === REFERENCE_FORMAT);
  if (artifact === undefined) throw integrityError('cannot read the snapshot: its definitions are missing');
  const chunks: Buffer[] = [];
  await artifact.into({
    kind: 'reader',
    async read(raw: Readable) {
      for await (const chunk of raw) chunks.push(Buffer.from(chunk as Buffer));
    },
  });
  return parseDefinitions(Buffer.concat(chunks));
}

/** What a capture tells of everything that it has. */
export function factsOfHeader(header: FactsHeader): Facts {
  const { dataStreams, snapshot } = header;
  const { featureStates = {}, globalState } = snapshot ?? {};
  const features = Object.entries(featureStates).map(([name, { length }]) => [name, length] as const);
  return {
    ...factsOfIndices(allIndices(header), dataStreams),
    ...(features.length === 0 ? {} : { featureStates: Object.fromEntries(features) }),
    ...(globalState === undefined ? {} : { globalState }),
  };
}

/** The indices of a capture; with those of its streams where it has their documents. */
function allIndices({ indices, dataStreams = [], snapshot }: FactsHeader): readonly IndexHeader[] {
  if (snapshot !== undefined) return indices;
  const parts = dataStreams.flatMap(({ name, indices: own }) =>
    own.map((part, position) => ({ ...part, name: partName(name, position) })),
  );
  return [...indices, ...parts];
}

type FactsHeader = Pick<DefinitionsHeader, 'indices' | 'snapshot'> & { readonly dataStreams?: readonly StreamParts[] };
type StreamParts = Pick<StreamHeader, 'name' | 'indices'>;

/** What a capture tells of its indices and data streams, under their names. */
export function factsOfIndices(indices: readonly IndexHeader[], streams: readonly StreamParts[] = []): Facts {
  const counted = { ...documentsOf(indices), ...Object.fromEntries(streams.map(documentsOfStream)) };
  const last = streams.flatMap(({ name, indices: parts }) =>
    parts.slice(-1).map(({ mappings }) => ({ name, mappings })),
  );
  return {
    documents: counted,
    mappings: Object.fromEntries([...indices, ...last].map(({ name, mappings }) => [name, mappings])),
    ...(streams.length === 0
      ? {}
      : { dataStreams: Object.fromEntries(streams.map(({ name, indices: parts }) => [name, parts.length])) }),
  };
}

const documentsOf = (indices: readonly IndexHeader[]): Readonly<Record<string, number>> =>
  Object.fromEntries(
    indices.filter(({ isClosed }) => isClosed !== true).map(({ name, documents }) => [name, documents]),
  );

const documentsOfStream = ({ name, indices }: StreamParts): readonly [string, number] => [
  name,
  Object.values(documentsOf(indices)).reduce((sum, documents) => sum + documents, 0),
];
