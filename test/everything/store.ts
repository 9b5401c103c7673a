import { createHash } from 'node:crypto';

/** One place that an application writes to. */
export interface Store {
  /** Name of the target. */
  readonly name: string;
  /** The target as it stands in the policy. */
  readonly target: Readonly<Record<string, unknown>>;
  /** What the references of the target lead to. */
  readonly env: Readonly<Record<string, string>>;
  /** A capture holds what was written up to one moment, and nothing of what came after it. */
  readonly isOneMoment: boolean;
  /** Makes it, with content of every kind that no writer touches. */
  seed(): Promise<void>;
  /** The n-th write of the application, of several parts that belong together where the store has transactions. */
  write(n: number): Promise<void>;
  /** All of it: what `seed` made, as lines that are equal for equal content, and the texts of all whole writes by number. */
  read(): Promise<Content>;
  /** Takes all of it away. */
  lose(): Promise<void>;
  close(): Promise<void>;
}

export interface Content {
  readonly seeded: readonly string[];
  readonly written: ReadonlyMap<number, string>;
}

/** What the n-th write says. */
export const textOf = (n: number): string =>
  Array.from({ length: 8 }, (_, part) => createHash('sha256').update(`${n} ${part}`).digest('hex')).join('');
