import { randomUUID } from 'node:crypto';
import type { Clock } from '../context.ts';
import { BkpError, guardError, repositoryError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import { parseDocument, writeDocument, type Parsed } from './document.ts';
import { readFirst } from './kept-versions.ts';
import { IDENTITY_KEY } from './keys.ts';

/** `bkp-repository.json`: what makes a place a repository; made once, never changed. */
export interface Identity {
  readonly formatVersion: 1;
  readonly id: string;
  readonly createdAt: string;
}

/**
 * Who a repository is; undefined when the place can be read but was never made a repository, which is also what the
 * mount point of an unmounted disk looks like.
 */
export async function repositoryIdentity(repository: Repository): Promise<Identity | undefined> {
  const bytes = (await readIfPresent(repository, IDENTITY_KEY)) ?? (await readFirst(repository, IDENTITY_KEY));
  if (bytes === undefined) return undefined;
  const parsed = parseIdentity(bytes);
  if (parsed.ok) return parsed.value;
  throw repositoryError(`cannot use the repository ${repository.location}: ${IDENTITY_KEY}: ${parsed.message}`, {
    hint:
      parsed.reason === 'newer-format'
        ? 'upgrade bkp on this machine'
        : `bring ${IDENTITY_KEY} back from a copy of the repository; its snapshots are untouched`,
  });
}

/** What may stand in a place that becomes a repository: what the file system and its mount point bring along. */
const HARMLESS = new Set(['lost+found/']);

/**
 * Makes a place a repository and gives its identity; of two that do so at once both get the same. Refuses a place that
 * holds other things, and one that holds snapshots but lost its identity.
 */
export async function initializeRepository(
  repository: Repository,
  { clock }: { readonly clock: Clock },
): Promise<Identity> {
  await repository.prepare();
  const known = await repositoryIdentity(repository);
  if (known !== undefined) {
    // Somebody removed it, and the store keeps a version of it.
    if ((await repository.stat(IDENTITY_KEY)) === undefined) await repository.put(IDENTITY_KEY, writeDocument(known));
    return known;
  }
  const others = (await repository.list('', 'shallow')).filter((key) => !HARMLESS.has(key));
  if (others.length > 0) {
    throw guardError(
      `cannot make a repository of ${repository.location}: it holds ${others.slice(0, 3).join(', ')}${others.length > 3 ? ', …' : ''}`,
      {
        hint: 'choose an empty folder; where these are snapshots, bring bkp-repository.json back from a copy',
      },
    );
  }
  const identity: Identity = { formatVersion: 1, id: randomUUID(), createdAt: clock.now().toISOString() };
  if (await repository.create(IDENTITY_KEY, writeDocument(identity))) return identity;
  const made = await repositoryIdentity(repository);
  if (made === undefined)
    throw repositoryError(`cannot make a repository of ${repository.location}: its identity vanished`);
  return made;
}

/** Reads a small object that may be absent. */
export async function readIfPresent(repository: Pick<Repository, 'read'>, key: string): Promise<Buffer | undefined> {
  try {
    return await repository.read(key);
  } catch (error) {
    if (error instanceof BkpError && error.code === 'not-found') return undefined;
    throw error;
  }
}

const parseIdentity = (bytes: Uint8Array): Parsed<Identity> =>
  parseDocument(bytes, 1, (fields) => {
    const id = fields.text('id');
    if (!/^[0-9a-z-]{8,64}$/.test(id)) throw new Error('`id` is no repository id');
    return { formatVersion: 1, id, createdAt: fields.time('createdAt') };
  });
