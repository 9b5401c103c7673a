import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { notFoundError } from '../../src/errors.ts';
import { checkKey, checkPrefix } from '../../src/repositories/key.ts';
import type { Repository } from '../../src/repositories/repository.ts';

interface Stored {
  readonly content: Buffer;
  readonly version: string;
}

/** What several openings of one memory repository share. */
export interface MemoryStore {
  readonly objects: Map<string, Stored>;
  writes: number;
}

export const newMemoryStore = (): MemoryStore => ({ objects: new Map(), writes: 0 });

/** The same with what an object store has besides. */
export function openMemoryObjectStore(store: MemoryStore = newMemoryStore()): Repository {
  const plain = openMemoryRepository(store);
  const listVersions: NonNullable<Repository['listVersions']> = async (prefix) => {
    const keys = await plain.list(prefix, 'deep');
    return keys.map((key) => ({ key, version: store.objects.get(key)?.version ?? '' }));
  };
  const replace: NonNullable<Repository['replace']> = async (key, content, version) => {
    if (store.objects.get(key)?.version !== version) return false;
    await plain.put(key, content);
    return true;
  };
  return { ...plain, listVersions, replace };
}

/** The smallest thing that is a repository: for tests of what stands on one. */
export function openMemoryRepository(store: MemoryStore = newMemoryStore()): Repository {
  const { objects } = store;
  const save = (key: string, content: Buffer): void => {
    objects.set(key, { content, version: String(++store.writes) });
  };
  const get = (key: string): Buffer => {
    checkKey(key);
    const stored = objects.get(key);
    if (stored === undefined) throw notFoundError(`cannot read ${JSON.stringify(key)} in memory: it does not exist`);
    return stored.content;
  };
  return {
    capabilities: { exclusiveCreate: true },
    location: 'memory',
    put: async (key, content) => {
      checkKey(key);
      const bytes = content instanceof Uint8Array ? Buffer.from(content) : await buffer(content);
      save(key, bytes);
      return { bytes: bytes.byteLength };
    },
    create: async (key, content) => {
      checkKey(key);
      if (objects.has(key)) return false;
      save(key, Buffer.from(content));
      return true;
    },
    read: async (key) => Buffer.from(get(key)),
    open: async (key) => {
      const content = get(key);
      return Readable.from(content.byteLength === 0 ? [] : [content], { objectMode: false });
    },
    stat: async (key) => {
      checkKey(key);
      const stored = objects.get(key);
      return stored && { bytes: stored.content.byteLength, version: stored.version };
    },
    list: async (prefix, depth) => {
      checkPrefix(prefix);
      const below = [...objects.keys()].filter((key) => key.startsWith(prefix));
      if (depth === 'deep') return below.sort();
      return [...new Set(below.map((key) => prefix + key.slice(prefix.length).replace(/\/.*/s, '/')))].sort();
    },
    pages: async function* (prefix) {
      checkPrefix(prefix);
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix));
      for (let at = 0; at < keys.length; at += 1000) yield keys.slice(at, at + 1000);
    },
    remove: async (key) => {
      checkKey(key);
      objects.delete(key);
    },
    clone: async (from, to, bytes) => {
      checkKey(to);
      const stored = objects.get(from);
      if (stored === undefined || stored.content.byteLength !== (bytes ?? stored.content.byteLength)) return false;
      save(to, stored.content);
      return true;
    },
    sweep: async () => 0,
    now: async () => undefined,
    freeBytes: async () => undefined,
    localPath: (key) => {
      checkKey(key);
      return undefined;
    },
    exists: async () => true,
    prepare: async () => undefined,
  };
}
