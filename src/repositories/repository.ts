import type { Readable } from 'node:stream';
import type { Clock, Host } from '../context.ts';
import type { FileSteps } from './file-steps.ts';
import type { ObjectVersions } from './object-versions.ts';

/** What opening a repository needs of the edge of the program. A `Context` is one. */
export interface RepositoryEdge {
  readonly clock: Clock;
  readonly host: Host;
  /** How files are changed; the operating system's way where absent. */
  readonly fileSteps?: FileSteps;
}

/** What is known of an object without reading it. */
export interface ObjectStat {
  readonly bytes: number;
  /** Opaque text that changes when the content is replaced. */
  readonly version: string;
}

/** An object as a listing tells of it. */
export interface ListedObject {
  readonly key: string;
  /** Opaque text that changes when the content is replaced; to be compared with that of other listings only. */
  readonly version: string;
}

export interface RepositoryCapabilities {
  /** `create` is exclusive: of two callers one gets true. Without it a policy must say `singleWriter: true`. */
  readonly exclusiveCreate: boolean;
}

/** When a URL works: not from when it was signed, so that it ends when its receiver was told, however long that took. */
export interface UrlValidity {
  readonly from: Date;
  readonly seconds: number;
}

/**
 * Keys and bytes, nothing else: a repository knows no snapshots. Every write is durable when its promise resolves and
 * visible whole or not at all. Keys are relative, `/`-separated, never empty, and cannot leave the root. Errors are
 * `repository` errors, or `not-found` for a key that is not there; a place that cannot be reached is never reported as
 * empty.
 */
export interface Repository {
  readonly capabilities: RepositoryCapabilities;
  /** Where it is, for people: a path or URL, never a credential. */
  readonly location: string;
  /**
   * Writes a whole object, replacing an old one. The source failing or ending early leaves nothing visible. Telling how
   * much will come helps a store that takes objects in parts; it is no promise.
   */
  put(key: string, content: Readable | Uint8Array, expectedBytes?: number): Promise<{ readonly bytes: number }>;
  /** Writes a whole small object only if the key is free; false when it was taken. */
  create(key: string, content: Uint8Array): Promise<boolean>;
  /**
   * Writes a whole small object only if it still is of the version that `stat` told, or is not there where that was
   * undefined; false when it was not written, or may not have been. Absent where nobody else could save a round trip by
   * what is written.
   */
  readonly replace?: (key: string, content: Uint8Array, version: string | undefined) => Promise<boolean>;
  /** Reads a whole small object. */
  read(key: string): Promise<Buffer>;
  /** Opens an object for streaming from its first byte. */
  open(key: string): Promise<Readable>;
  /** What is known of an object, or undefined when there is none. */
  stat(key: string): Promise<ObjectStat | undefined>;
  /**
   * Full keys below a prefix that ends with `/` (or is empty), sorted. Deep: all objects. Shallow: objects and folders
   * directly below, a folder ending with `/`. A prefix that does not exist is empty; a root that does not exist is an
   * error. What is `expected`, sorted, helps a store to list ranges of it side by side; it is no filter.
   */
  list(prefix: string, depth: 'deep' | 'shallow', expected?: readonly string[]): Promise<readonly string[]>;
  /**
   * A deep `list` that tells the version of every object and takes no longer for it. Absent where each would have to be
   * asked for; `stat` takes microseconds there.
   */
  readonly listVersions?: (prefix: string, expected?: readonly string[]) => Promise<readonly ListedObject[]>;
  /**
   * A deep `list` of what may be millions, some keys at a time in any order. Whoever removes them meanwhile may not be
   * told of all that is left.
   */
  pages(prefix: string): AsyncIterable<readonly string[]>;
  /** Removes an object; a key that is not there is not an error. Empty folders vanish with their last object. */
  remove(key: string): Promise<void>;
  /**
   * Makes an object the same as another one without its bytes coming through here: they stay two objects, each of which
   * can be removed. False, and nothing changed, where that is not possible, or it has not as many bytes as it should.
   */
  clone(from: string, to: string, bytes?: number): Promise<boolean>;
  /** Removes temporary files that writers killed long ago left behind; returns how many. */
  sweep(): Promise<number>;
  /** The store's own clock where it has one, else undefined. */
  now(): Promise<Date | undefined>;
  /** Free bytes where that is a meaningful number, else undefined. */
  freeBytes(): Promise<number | undefined>;
  /** The path of an object on this machine, where there is one: lets a program read it without Node. */
  localPath(key: string): string | undefined;
  /** A URL that reads an object for a while, for everybody who has it; absent where there is none. */
  readonly presign?: (key: string, validity: UrlValidity) => Promise<string>;
  /** The same for a URL that writes an object: as often as somebody likes, until its time is over. */
  readonly presignUpload?: (key: string, validity: UrlValidity) => Promise<string>;
  /** What was written over or removed, where the store may keep it; absent where none does. */
  readonly versions?: ObjectVersions;
  /**
   * False when the place itself is absent and `prepare` could make it: a folder that was never made, or the mount point's
   * folder of a disk that is gone. A bucket that is absent is an error of all else that is asked of it.
   */
  exists(): Promise<boolean>;
  /** Makes the place itself (a folder, never a bucket) when it is absent. Only `init` calls it. */
  prepare(): Promise<void>;
}
