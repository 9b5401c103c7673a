import type { Facts, FactValue, Versions } from '../engines/engine.ts';
import type { Reference } from '../engines/references.ts';

/** The newest manifest format this bkp writes; it reads all up to it. */
export const MANIFEST_FORMAT = 1;

export type SnapshotKind = 'backup' | 'safety' | 'adopted';

/** The JSON that commits a snapshot, as `schema/manifest.schema.json` describes it. Immutable once written. */
export interface Manifest {
  readonly formatVersion: number;
  readonly policy: string;
  readonly backup: string;
  readonly id: string;
  readonly kind: SnapshotKind;
  readonly status: 'created' | 'partial';
  /** The schedule tick this snapshot satisfies, ISO; null for safety, adopted and unscheduled ones. */
  readonly tick: string | null;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly tool: { readonly bkp: string };
  readonly definitionSha256: string;
  /** The backup had `protect: true`: refused to `destroy` and `--prune-removed`. */
  readonly protect: boolean;
  /** The store lets nobody delete the snapshot before; absent where it has no object lock. Differs between copies. */
  readonly lockedUntil?: string;
  readonly targets: Readonly<Record<string, ManifestTarget>>;
  /** Absent where everybody can read the artifacts. */
  readonly encryption?: ManifestEncryption;
  /** Text of the policy files as they stood (references, never values), by path. */
  readonly policyFiles: Readonly<Record<string, string>>;
  /** Over all the rest; absent where the policy names no key to sign with. */
  readonly signature?: Signature;
}

/** An Ed25519 signature. */
export interface Signature {
  /** `ed25519:<base64>`. */
  readonly publicKey: string;
  /** 64 bytes in base64. */
  readonly value: string;
}

export interface ManifestEncryption {
  readonly method: 'age';
  /** Public keys; the private key of any one of them opens every artifact and the sealed part. Sorted. */
  readonly recipients: readonly string[];
  /** `sealed` where the targets leave out what tells of the content. */
  readonly manifest: 'sealed' | 'open';
  /**
   * JSON in age's text form, encrypted to the same recipients: what the targets leave out. There in any case, because it
   * tells whether an identity fits.
   */
  readonly sealed: string;
}

export interface ManifestTarget {
  readonly type: string;
  readonly status: 'captured' | 'failed';
  /** Why it failed; null when captured. */
  readonly error: string | null;
  readonly pointInTime: readonly [string, string] | null;
  readonly versions: Versions;
  /** The `x-defines` keys as written in the policy. */
  readonly definition: Readonly<Record<string, unknown>>;
  readonly facts: Facts;
  readonly warnings: readonly string[];
  readonly checks: readonly CheckOutcome[];
  readonly artifacts: readonly ManifestArtifact[];
  /** What lies with the server, not here: the artifacts only tell where. Absent where nothing does. */
  readonly references?: readonly Reference[];
  /** Native commands that restore this target without bkp. */
  readonly restore: readonly string[];
}

export interface CheckOutcome {
  /** `sql: SELECT count(*) FROM events` or `facts: tables.events`. */
  readonly check: string;
  readonly expect: string;
  readonly value: FactValue;
  readonly ok: boolean;
}

export interface ManifestArtifact {
  /** Key relative to `snapshots/<backup>/<id>/`. */
  readonly key: string;
  readonly name: string;
  readonly format: string;
  readonly compression: 'zstd' | 'gzip' | null;
  readonly encryption: 'age' | null;
  /** Null where the raw bytes were not counted (`checks: fast` of a program's output). */
  readonly rawBytes: number | null;
  readonly storedBytes: number;
  readonly storedSha256: string;
  /** Present where the artifact is a list of files that are stored beside it. */
  readonly folder?: ArtifactFolder;
}

/** The files that an artifact lists: each has a line there with its name in the folder, its size and its SHA-256. */
export interface ArtifactFolder {
  /** Key relative to `snapshots/<backup>/<id>/`, ending with a slash. */
  readonly key: string;
  readonly files: number;
  /** Of all files together. */
  readonly bytes: number;
}

/** All that an artifact takes in a repository. */
export const bytesStored = ({ storedBytes, folder }: Pick<ManifestArtifact, 'storedBytes' | 'folder'>): number =>
  storedBytes + (folder?.bytes ?? 0);

/** What it was before compression, with the files that it lists; null where that was not counted. */
export const bytesRaw = ({ rawBytes, folder }: Pick<ManifestArtifact, 'rawBytes' | 'folder'>): number | null =>
  folder?.bytes ?? rawBytes;

export type MarkKind = 'verified' | 'damaged' | 'protected' | 'unprotected' | 'restored' | 'released' | 'signed';

/** The reason in the `released` mark of remains. It does not forbid to store the snapshot again. */
export const CLEANED = 'partial-upload';

/** Something learned or decided about a snapshot after it was made. Never changed, never removed before its snapshot. */
export interface Mark {
  readonly formatVersion: 1;
  readonly kind: MarkKind;
  readonly at: string;
  readonly policy: string;
  readonly by: { readonly host: string; readonly bkp: string };
  /** verified: `{ deep }`; damaged: `{ artifacts, reason, deep }`; protected: `{ reason }`; restored: `{ restore, destination }`; released: `{ keys, reason, run }`, keys as in begin.json; signed: `{ manifestSha256 }`. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Over all the rest with its key and the id of the repository; absent where the policy names no key to sign with. */
  readonly signature?: Signature;
}
