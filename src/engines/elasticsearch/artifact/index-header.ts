import type { ServerVersion } from '../server/version.ts';

/** What stands before everything else in the definitions of a capture. */
export interface DefinitionsHeader {
  readonly format: typeof DEFINITIONS_FORMAT | typeof REFERENCE_FORMAT;
  /** Where the documents are that stayed with the server; absent where they were captured. */
  readonly snapshot?: SnapshotPlace;
  readonly server: ServerVersion;
  readonly indices: readonly IndexHeader[];
  readonly dataStreams?: readonly StreamHeader[];
  /** How many definitions follow. */
  readonly definitions: number;
}

/** A snapshot in a repository of the server. */
export interface SnapshotPlace {
  /** What restores it, below the address of the server. */
  readonly restore: string;
  readonly cluster: string;
  readonly repository: {
    readonly name: string;
    readonly type: string;
    readonly uuid: string | null;
    readonly settings: Readonly<Record<string, string>>;
  };
  readonly name: string;
  readonly uuid: string;
  /** Indices of every feature that it holds. */
  readonly featureStates?: Readonly<Record<string, readonly string[]>>;
  /** It holds the state of the whole cluster. */
  readonly globalState?: true;
}

/** One index of a capture. */
export interface IndexHeader {
  readonly name: string;
  /** Documents that its points in time hold. */
  readonly documents: number;
  /** Somebody wrote to it while the server took its snapshot: how many documents it has is not known. */
  readonly isUncounted?: true;
  /** It is closed, and nobody can count its documents. */
  readonly isClosed?: true;
  /** Digest of the mappings. */
  readonly mappings: string;
  /** Settings that would keep documents from coming in as they were: set once they are there. */
  readonly afterwards: Readonly<Record<string, string>>;
}

/** A data stream of a capture. */
export interface StreamHeader {
  readonly name: string;
  /** What it consists of, the oldest first. */
  readonly indices: readonly IndexHeader[];
  /** The index template that it lives by; null where none of its server meant it any more. */
  readonly template: string | null;
  /** By name, as text, as the server wrote them. */
  readonly aliases: Readonly<Record<string, string>>;
}

/** Something that one PUT makes again. */
export interface Definition {
  /** Path on the server: the name of an index, or `_index_template/logs`. */
  readonly path: string;
  /** JSON as the server gave it, in one line. */
  readonly body: Buffer;
}

export const DEFINITIONS_FORMAT = 'search-definitions';
/** Where a snapshot of the server is, then the same as in the definitions. */
export const REFERENCE_FORMAT = 'search-snapshot';
export const DOCUMENTS_FORMAT = 'search-bulk';
/** Documents of one index of a data stream, each to be made in the stream. */
export const STREAM_FORMAT = 'search-stream-bulk';
/** What artifacts and facts call the documents of an index of a stream, the oldest first; no index has a colon. */
export const partName = (stream: string, position: number): string => `${stream}:${position + 1}`;
export const streamOfPart = (name: string): string => name.slice(0, name.lastIndexOf(':'));
/** No index can have this name. */
export const DEFINITIONS_NAME = '_definitions';

export const pathOfIndex = (name: string): string => encodeURIComponent(name);
