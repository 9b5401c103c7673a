import type { Readable } from 'node:stream';
import type { Repository, UrlValidity } from './repository.ts';

/** One state of an object that a store keeps after it was written over or removed. */
export interface ObjectVersion {
  readonly key: string;
  /** The store's name of it. */
  readonly version: string;
  /** Nothing but the note that the object was removed. */
  readonly isMarker: boolean;
  /** It is what stands under the key now. */
  readonly isNewest: boolean;
  readonly bytes: number;
  /** Opaque text that tells one content from another; empty for a marker. */
  readonly content: string;
}

/** What forbids to remove a version. */
export interface VersionLock {
  /** Nobody can remove it before, as far as the store tells; null where nothing was said. */
  readonly until: Date | null;
  /** Nobody can remove it until somebody lifts the hold. */
  readonly isHeld: boolean;
}

/** What a place keeps of what is written over or removed. */
export interface Keeping {
  readonly versions: boolean;
  /** Versions can be locked. */
  readonly objectLock: boolean;
  /** For how many days snapshots are locked there, as the policy or the place itself asks; null where neither does. */
  readonly lockDays: number | null;
}

/**
 * What a store can do that keeps versions. Like a repository it knows keys and bytes only. It has no way to go round a
 * lock, also where credentials would allow it.
 */
export interface ObjectVersions {
  /** The policy asks that snapshots are locked. */
  readonly isLockWanted: boolean;
  /** Asked of the store once; all that looking at versions needs. */
  keepsVersions(): Promise<boolean>;
  /** Asked of the store once. What it does not tell these credentials is taken for what the policy says of it. */
  keeping(): Promise<Keeping>;
  /** All versions of all keys that begin with a text: objects by key, of each the newest first; then all markers. */
  list(start: string): Promise<readonly ObjectVersion[]>;
  /** The same of what may be millions, some versions at a time, of each key the newest first. */
  pages(start: string): AsyncIterable<readonly ObjectVersion[]>;
  read(key: string, version: string): Promise<Buffer>;
  open(key: string, version: string): Promise<Readable>;
  /** The same URL as `presign` of the repository gives, for one version. */
  presign(key: string, version: string, validity: UrlValidity): Promise<string>;
  /** False when the store refuses it: locked, held, or more than the credentials may do. */
  remove(key: string, version: string): Promise<boolean>;
  lockOf(key: string, version: string): Promise<VersionLock>;
  /** Locks a version; a lock can only become longer. */
  retain(key: string, version: string, until: Date): Promise<void>;
  hold(key: string, version: string, isHeld: boolean): Promise<void>;
  /** Writes small objects that are locked from their first moment. */
  locking(until: Date): Pick<Repository, 'create' | 'put' | 'read'>;
}
