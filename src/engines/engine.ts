import type { Readable } from 'node:stream';
import type { Context, ReaderName } from '../context.ts';
import type { Target } from '../generated/policy.ts';
import type { ByteSink, ByteSource, ListedFile } from '../streams/bytes.ts';
import type { Origin, Reference, ReferenceKeeper } from './references.ts';

export type RestoreMode = 'new' | 'replace' | 'merge';

/** JSON that an engine counted in the artifact itself: `{ tables: { events: 12 }, … }`. Compared after a restore, shown by `diff`. */
export type Facts = Readonly<Record<string, FactValue>>;
export type FactValue = string | number | boolean | null | { readonly [key: string]: FactValue };

/** A program an engine needs, for `doctor` and the online checks. */
export interface ToolNeed {
  readonly tool: string;
  /** What the same is called elsewhere. */
  readonly otherNames?: readonly string[];
  readonly versionArgv: readonly string[];
  readonly debianPackage: string;
  readonly homebrewPackage: string;
  /** Where it also lies when it is not on PATH. */
  readonly folders?: readonly string[];
  /** The one folder where it must lie, because a target says so. */
  readonly only?: string;
}

export interface Capabilities {
  /** Restore modes that work; asking for another is refused before anything starts. */
  readonly modes: readonly RestoreMode[];
  /** `checks: [{ sql }]` can be evaluated on an artifact. */
  readonly sqlChecks: boolean;
  /** Single paths inside an artifact can be restored (`--path`). */
  readonly paths: boolean;
  /**
   * Chosen paths go into an occupied destination beside what is there: `new` where none of them is there, `replace` changes
   * only them, where they stand.
   */
  readonly pathsWithin: boolean;
  /** Whoever restores can own everything instead of its captured owners (`--no-owner`). */
  readonly noOwner: boolean;
  /** `merge` overwrites nothing but changes the destination in place, so a safety snapshot is due before it. */
  readonly safetyBeforeMerge: boolean;
  /** What it captures and restores lies on the machine that bkp runs on; else every machine reaches the same. */
  readonly local: boolean;
  /** What some target of the type may need. */
  readonly tools: readonly ToolNeed[];
  /** Native formats it captures and reads; an adopted dump is of the first, unless `adoptedFormat` tells another. */
  readonly formats: readonly string[];
}

export interface Probe {
  readonly versions: Versions;
  /** Raw bytes a capture would read, where that is cheap to know. */
  readonly estimatedBytes: number | null;
  /** What would go wrong, one sentence each; empty when a capture can start. */
  readonly problems: readonly Problem[];
  /** What does not keep a capture from starting, but people must know: what is not in it, what may end it. */
  readonly warnings: readonly Problem[];
}

export interface Problem {
  readonly message: string;
  readonly hint?: string | undefined;
}

export interface Versions {
  readonly server: string | null;
  readonly tool: string | null;
}

/** One artifact on its way into a repository. */
export interface OutgoingArtifact {
  /** Empty when the target leaves a single artifact; else the name under the target's folder. */
  readonly name: string;
  /** Extension before compression, without a dot: `db`, `tar`. */
  readonly extension: string;
  /** The native format: `sqlite3`, `tar-pax`. */
  readonly format: string;
  readonly source: ByteSource | FolderSource;
  /** Expected raw bytes, for progress. */
  readonly estimatedBytes: number | null;
  /** Sees the raw bytes while they are stored. Left out by `checks: fast`. */
  readonly inspect?: Inspector;
  /** Which part of the target it is, where several artifacts tell the same facts: it stands below each of them (`tables kong`). */
  readonly part?: string;
}

/**
 * An artifact of very many files: its bytes are a list of them, one line of JSON each (`ListedFile`), and every file is
 * stored by itself, as it is, while the list is read.
 */
export interface FolderSource {
  readonly kind: 'folder';
  open(folder: OutgoingFolder): Readable;
}

/** Where the files of such an artifact go. */
export interface OutgoingFolder {
  /**
   * The same file in the last good snapshot, as its list has it; keys are to be asked for in the order of their bytes, one
   * after the other.
   */
  earlier(key: string): Promise<ListedFile | undefined>;
  /** Stores a file. Throws `integrity` where other than so many bytes came. */
  put(key: string, content: Buffer | Readable, bytes: number): Promise<ListedFile>;
  /**
   * Has an earlier file of the repository once more, by itself or by a copy on this machine; undefined where that cannot
   * be, or it is not there as it was.
   */
  keep(file: ListedFile): Promise<ListedFile | undefined>;
}

/** Checks the format's own end mark and counts facts while raw bytes pass. */
export interface Inspector {
  open(): RawReader | PacedReader;
  /** The same as a program: what comes from a program and goes to one is read there. */
  readonly program?: ReaderName;
}

/** Takes raw bytes piece by piece; all calls are synchronous, and a chunk is reused afterwards. */
export interface RawReader {
  push(chunk: Buffer): void;
  /** Throws `integrity` unless the bytes were whole. */
  end(): Facts;
}

/** The same at its own pace: what it has not taken yet is waited for. */
export interface PacedReader {
  push(chunk: Buffer): Promise<void>;
  /** Rejects with `integrity` unless the bytes were whole. */
  end(): Promise<Facts>;
}

/** A capture that is ready to be read. `close` is called once, always, also after a failure. */
export interface Capture {
  readonly artifacts: readonly OutgoingArtifact[];
  /** The data is as it was at some moment between these two. */
  readonly pointInTime: readonly [Date, Date];
  readonly versions: Versions;
  /** What people must know of a capture that is whole all the same: what lies outside of it. */
  readonly warnings: readonly string[];
  /** What was left with the server; the artifacts tell where. Whoever does not keep the capture releases it. */
  readonly references?: readonly Reference[];
  /**
   * Facts and findings that do not need the raw stream (a finished copy on disk); runs beside the storing. Throws
   * `integrity` when the copy is damaged: the capture has failed.
   */
  facts(): Promise<Facts>;
  /** Evaluates one SQL check on what was captured; returns the single value of its single row. */
  query?(sql: string): Promise<FactValue>;
  close(): Promise<void>;
}

/** A stored artifact, opened for reading; its stored bytes were hashed before. */
export interface IncomingArtifact {
  readonly name: string;
  readonly format: string;
  readonly rawBytes: number | null;
  /** Decodes and moves the bytes; throws `integrity` when they are cut or differ from the manifest. */
  into(sink: ByteSink): Promise<void>;
  /** Present where it lists files: opens one of them. Its bytes end in an `integrity` error unless they are those listed. */
  readonly openFile?: (file: ListedFile) => Promise<Readable>;
}

/** Keys of a target as far as they are known: all, those that say what is captured, or none. */
export type Definition = object;

export interface CheckResult {
  readonly facts: Facts;
}

/** What stands where a restore would write. */
export interface DestinationState {
  /**
   * `occupied` holds data; `unsuitable` is something else than this engine restores (never overwritten); `unknown` may
   * hold data, which only the restore will see.
   */
  readonly state: 'absent' | 'empty' | 'occupied' | 'unsuitable' | 'unknown';
  /** One clause for the plan: `118 tables`, `folder with 20,004 entries`. */
  readonly description: string;
  readonly problems: readonly Problem[];
  /** `replace` would change what stands there instead of setting it aside, so a safety snapshot is due before it. */
  readonly replacedInPlace?: boolean;
}

/** What a restore would bring to a destination, as far as it is known before it begins. */
export interface Arrival {
  readonly mode: RestoreMode;
  /** Empty where the snapshot is not known yet. */
  readonly artifacts: readonly Pick<IncomingArtifact, 'name' | 'format'>[];
  /** Chosen paths inside the artifacts; empty means everything. */
  readonly paths: readonly string[];
}

export interface RestoreRequest<T> {
  /** The target as the policy has it, with `into` laid over it. */
  readonly destination: T;
  readonly mode: RestoreMode;
  readonly artifacts: readonly IncomingArtifact[];
  /** Chosen paths inside the artifact; empty means everything. */
  readonly paths: readonly string[];
  /** In `merge`: leave out what cannot come back instead of rolling back. */
  readonly skipConflicts: boolean;
  /** Who restores owns everything, and what names roles that are missing is left out; each told in a warning. */
  readonly noOwner: boolean;
  /** Facts of the manifest, compared with what was restored before the old state is given up; null when unknown. */
  readonly expectedFacts: Facts | null;
  /** Facts of the manifest for the whole artifact, whatever is chosen of it; absent when unknown. */
  readonly artifactFacts?: Facts;
  /**
   * Asks what was restored, before the old state is given up; throws when the policy's checks fail there. Absent where
   * there is nothing to ask, or the artifacts were asked themselves (`query`).
   */
  readonly accept?: (query: (sql: string) => Promise<FactValue>) => Promise<void>;
  /** Used in the names of what is set aside, so that they can be told apart: `20261119T020000Z-k3x9q2aa`. */
  readonly snapshot: string;
}

export interface RestoreOutcome {
  /** Facts counted at the destination after the restore; null where the mode makes them meaningless (merge, chosen paths). */
  readonly facts: Facts | null;
  /** What was set aside and must be removed later. */
  readonly keptOld: readonly SetAside[];
  /** Rows or entries that came back, for the report: `{ "table events": 12 }`. */
  readonly restored: Facts;
  /** What could not come back (only with `skipConflicts`). Not empty means exit 7. */
  readonly conflicts: readonly string[];
  readonly warnings: readonly string[];
}

/** The old state of a destination, kept under a printed name. */
export interface SetAside {
  readonly type: string;
  /** What the engine needs to find it again, and nothing secret: a path, a database name. */
  readonly reference: string;
}

/** Something that was set aside, with the destination it was moved away from where the policy still knows it. */
export interface FoundAside<T> extends SetAside {
  readonly destination?: T | undefined;
}

/**
 * How one `type` of target is captured, checked and restored. Adapters hold no state, no retry loop, no progress and no
 * dry run; they never print and never know a repository.
 */
export interface Engine<K extends Target['type'] = Target['type']> {
  readonly type: K;
  readonly capabilities: Capabilities;
  /** The programs that one target needs; where it is absent, those of `capabilities`. */
  neededTools?(target: TargetOf<K>): readonly ToolNeed[];
  /** Looks at the target without changing anything. Throws only for bugs and aborts: what is wrong is a `problem`. */
  probe(target: TargetOf<K>, context: Context): Promise<Probe>;
  /** Gets the data ready to be read. Throws `target` or `tool` when that is impossible; leaves nothing behind then. */
  capture(target: TargetOf<K>, context: Context, origin?: Origin): Promise<Capture>;
  /** Present where captures may leave something with the server. */
  readonly references?: ReferenceKeeper<TargetOf<K>>;
  /**
   * The engine's own full check of stored artifacts, without a server. Throws `integrity` for damage. `definition` is what
   * is known of the target: it may name a program that can read them.
   */
  check(artifacts: readonly IncomingArtifact[], context: Context, definition: Definition): Promise<CheckResult>;
  /** Evaluates SQL checks on stored artifacts; an engine that needs a server for them has `accept` instead. */
  query?(
    artifacts: readonly IncomingArtifact[],
    sql: readonly string[],
    context: Context,
  ): Promise<readonly FactValue[]>;
  /**
   * Looks at a destination without changing anything. What keeps `coming` from going there, as far as the formats, the
   * mode and the rights of the user tell, is a problem of the state.
   */
  inspectDestination(destination: TargetOf<K>, context: Context, coming?: Arrival): Promise<DestinationState>;
  /**
   * Throws what `restore` would throw before it changes anything, where the artifacts must be read for that. Asked before
   * a safety snapshot is taken; changes nothing.
   */
  assertRestorable?(request: RestoreRequest<TargetOf<K>>, context: Context): Promise<void>;
  /**
   * Brings data back. On any failure or abort the destination is as it was, or the error's hint says exactly what is
   * where. Finishes or undoes what an earlier, killed restore of the same destination left.
   */
  restore(request: RestoreRequest<TargetOf<K>>, context: Context): Promise<RestoreOutcome>;
  /** True where a capture of the target lists files that are stored each by itself: they cannot be encrypted. */
  listsFiles?(target: TargetOf<K>): boolean;
  /** The command a person types to restore this artifact without bkp, given the name of the decoded file or `-` stream. */
  nativeRestore(
    target: TargetOf<K>,
    artifact: { readonly name: string; readonly format: string; readonly decode: string; readonly file: string },
  ): string;
  /** The format of a dump that somebody hands over for a target; the target may name one. */
  adoptedFormat?(target: TargetOf<K>): string;
  /** True while something set aside is still there. */
  setAsideExists(old: FoundAside<TargetOf<K>>, context: Context): Promise<boolean>;
  /** Removes something set aside. Refuses a reference that does not look like one it made. */
  removeSetAside(old: FoundAside<TargetOf<K>>, context: Context): Promise<void>;
}

export type TargetOf<K extends Target['type']> = Extract<Target, { type: K }>;
