import type { Engine, FactValue, TargetOf } from '../../src/engines/engine.ts';
import type { Target } from '../../src/generated/policy.ts';

/** `large` is some megabytes that hardly compress, so that a flow can be met in the middle. */
export type Content = 'empty' | 'small' | 'large';

/** What the conformance suite must know of an engine to put it through everything. */
export interface EngineFixture<K extends Target['type'] = Target['type']> {
  readonly name: string;
  readonly engine: Engine<K>;
  /** The state outlives this process, so that it can be captured and restored by others, and killed. */
  readonly isPersistent: boolean;
  /** False where nobody but the target's own program knows what is there. */
  readonly canLook?: boolean;
  /** The program that makes the artifact, with a word of its command line then; null when none does. */
  readonly producer: ProgramUse | null;
  /** The program that takes the artifact in. */
  readonly consumer: ProgramUse | null;
  /** A capture needs a program from PATH, though the engine's own lie elsewhere. */
  readonly capturesByPath?: boolean;
  /** A check with its value for `small` content; null without `sqlChecks`. */
  readonly query: { readonly sql: string; readonly value: FactValue } | null;
  /** What it stores is a few lines, whatever the content: no small disk and no limit keeps it from being stored. */
  readonly storesLittle?: boolean;
  /** Makes a target with content inside an existing folder. */
  make(folder: string, content: Content): Promise<TargetOf<K>>;
  /** The same target restored below another existing folder, where nothing is yet. */
  elsewhere(target: TargetOf<K>, folder: string): TargetOf<K>;
  /** Equal for equal data, whatever the bytes; `absent` when there is none. */
  digest(target: TargetOf<K>): Promise<string>;
  /** Takes a part of the content away and adds something of its own. */
  alter(target: TargetOf<K>): Promise<void>;
  /** Whether what `alter` took is there, and whether what it added is. */
  partsOf(target: TargetOf<K>): Promise<{ readonly taken: boolean; readonly added: boolean }>;
  /** Takes all of the target away. */
  destroy(target: TargetOf<K>): Promise<void>;
  /** Takes also away what a restore needs to be there; where it is absent, `destroy` leaves nothing to capture. */
  stop?(target: TargetOf<K>): Promise<void>;
  /** Takes the right to read away from everybody who is not root. */
  forbid(target: TargetOf<K>): Promise<void>;
  /** The same for what the native command brings back, where that is less. */
  digestByHand?(target: TargetOf<K>): Promise<string>;
  /** What a person has in the environment when the native command is typed. */
  handEnvironment?(target: TargetOf<K>): Readonly<Record<string, string>>;
  /** Where a reader that looks at one record at a time would see nothing wrong. */
  recordBoundary(raw: Buffer): number;
}

export interface ProgramUse {
  readonly tool: string;
  readonly word: string;
}
