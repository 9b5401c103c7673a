import type { ServerVersion } from '../server/version.ts';

/** What stands before everything else in the definitions of a capture. */
export interface DefinitionsHeader {
  readonly format: typeof DEFINITIONS_FORMAT;
  readonly server: ServerVersion;
  readonly indices: readonly IndexHeader[];
  /** How many definitions follow. */
  readonly definitions: number;
}

/** One index of a capture. */
export interface IndexHeader {
  readonly name: string;
  /** Documents that its points in time hold. */
  readonly documents: number;
  /** Digest of the mappings. */
  readonly mappings: string;
  /** Settings that would keep documents from coming in as they were: set once they are there. */
  readonly afterwards: Readonly<Record<string, string>>;
}

/** Something that one PUT makes again. */
export interface Definition {
  /** Path on the server: the name of an index, or `_index_template/logs`. */
  readonly path: string;
  /** JSON as the server gave it, in one line. */
  readonly body: Buffer;
}

export const DEFINITIONS_FORMAT = 'search-definitions';
export const DOCUMENTS_FORMAT = 'search-bulk';
/** No index can have this name. */
export const DEFINITIONS_NAME = '_definitions';

export const pathOfIndex = (name: string): string => encodeURIComponent(name);
