import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { guardError, integrityError, targetError, throwIfAborted } from '../../src/errors.ts';
import type { Engine, Facts, IncomingArtifact, TargetOf, RawReader } from '../../src/engines/engine.ts';
import type { Content, EngineFixture } from './fixture.ts';

/** All databases of the in-memory engine: keys and values by path. Paths that end with `!` cannot be read. */
const places = new Map<string, ReadonlyMap<string, string>>();
const END = 'end ';

/** The smallest thing that is an engine. It speaks for `sqlite` targets, whose `path` is a key here. */
const memoryEngine: Engine<'sqlite'> = {
  type: 'sqlite',
  capabilities: {
    modes: ['new', 'replace', 'merge'],
    sqlChecks: false,
    paths: false,
    pathsWithin: false,
    noOwner: false,
    safetyBeforeMerge: true,
    local: true,
    formats: ['lines'],
    tools: [],
  },
  async probe({ path }) {
    const problems = places.has(path) ? [] : [{ message: `${path} does not exist` }];
    return { versions: { server: null, tool: '1' }, estimatedBytes: null, problems, warnings: [] };
  },
  async capture({ path }, context) {
    const rows = places.get(path);
    if (rows === undefined) throw targetError(`cannot capture ${path}: it does not exist`);
    if (rows.has('forbidden')) throw targetError(`cannot capture ${path}: no right to read it`);
    const now = context.clock.now();
    return {
      artifacts: [
        {
          name: '',
          extension: 'lines',
          format: 'lines',
          source: { kind: 'stream', open: () => Readable.from(write(rows)) },
          estimatedBytes: null,
          inspect: { open: readLines },
        },
      ],
      pointInTime: [now, now],
      warnings: [],
      versions: { server: null, tool: '1' },
      facts: async () => ({}),
      close: async () => undefined,
    };
  },
  check: async (artifacts) => ({ facts: factsOf(await readRows(artifacts)) }),
  async inspectDestination({ path }) {
    const rows = places.get(path);
    if (rows === undefined) return { state: 'absent', description: 'nothing', problems: [] };
    return { state: rows.size === 0 ? 'empty' : 'occupied', description: `${rows.size} rows`, problems: [] };
  },
  async restore({ destination: { path }, mode, artifacts, expectedFacts, snapshot }, context) {
    const old = places.get(path);
    if (mode === 'new' && old !== undefined && old.size > 0)
      throw guardError(`cannot restore ${path}: it is not empty`);
    const rows = await readRows(artifacts);
    throwIfAborted(context.signal);
    if (expectedFacts?.['rows'] !== rows.size) throw integrityError(`cannot restore ${path}: other rows than captured`);
    const isKept = mode === 'replace' && old !== undefined;
    if (isKept) places.set(`${path}.old-${snapshot}`, old);
    places.set(path, mode === 'merge' && old !== undefined ? new Map([...rows, ...old]) : rows);
    return {
      facts: mode === 'merge' ? null : factsOf(rows),
      keptOld: isKept ? [{ type: 'sqlite', reference: `${path}.old-${snapshot}` }] : [],
      restored: factsOf(rows),
      conflicts: [],
      warnings: [],
    };
  },
  nativeRestore: (_target, { decode }) => decode,
  setAsideExists: async ({ reference }) => places.has(reference),
  async removeSetAside({ reference }) {
    if (!reference.includes('.old-')) throw targetError(`cannot remove ${reference}: no restore made it`);
    places.delete(reference);
  },
};

async function* write(rows: ReadonlyMap<string, string>): AsyncGenerator<Buffer> {
  for (const row of rows) {
    yield Buffer.from(`${JSON.stringify(row)}\n`);
    await setImmediate();
  }
  yield Buffer.from(`${END}${rows.size}\n`);
}

function parse(lines: string): ReadonlyMap<string, string> {
  const all = lines.split('\n');
  if (all.pop() !== '' || all.at(-1) !== `${END}${all.length - 1}`)
    throw integrityError('cannot read lines: no end mark');
  return new Map(all.slice(0, -1).map((line) => JSON.parse(line) as [string, string]));
}

async function readRows([artifact]: readonly IncomingArtifact[]): Promise<ReadonlyMap<string, string>> {
  let read = '';
  await artifact?.into({ kind: 'reader', read: async (raw) => void (read = await text(raw)) });
  return parse(read);
}

function readLines(): RawReader {
  const pieces: string[] = [];
  return {
    push: (chunk) => void pieces.push(chunk.toString('latin1')),
    end: () => factsOf(parse(pieces.join(''))),
  };
}

const factsOf = (rows: ReadonlyMap<string, string>): Facts => ({ rows: rows.size });

const ROWS: Readonly<Record<Content, number>> = { empty: 0, small: 10, large: 200 };

const update = ({ path }: TargetOf<'sqlite'>, change: (rows: Map<string, string>) => void): void => {
  const rows = new Map(places.get(path));
  change(rows);
  places.set(path, rows);
};

export const memoryFixture: EngineFixture<'sqlite'> = {
  name: 'memory',
  engine: memoryEngine,
  isPersistent: false,
  producer: null,
  consumer: null,
  query: null,
  async make(folder, content) {
    const path = `${folder}/rows`;
    const value = (key: number): string => createHash('sha512').update(String(key)).digest('base64').repeat(100);
    places.set(path, new Map(Array.from({ length: ROWS[content] }, (_, key) => [`key ${key}`, value(key)])));
    return { type: 'sqlite', path };
  },
  elsewhere: (_target, folder) => ({ type: 'sqlite', path: `${folder}/rows` }),
  async digest({ path }) {
    const rows = places.get(path);
    return rows === undefined ? 'absent' : JSON.stringify([...rows].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  },
  alter: async (target) => update(target, (rows) => rows.set('added', 'yes').delete('key 3')),
  async partsOf({ path }) {
    return { taken: places.get(path)?.has('key 3') === true, added: places.get(path)?.has('added') === true };
  },
  destroy: async ({ path }) => void places.delete(path),
  forbid: async (target) => update(target, (rows) => rows.set('forbidden', 'yes')),
  recordBoundary: (raw) => raw.lastIndexOf('\n', raw.length / 2) + 1,
};
