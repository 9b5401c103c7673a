import type { Context } from '../context.ts';

/** For whom a capture is made: what stays with a server carries it, so that whose it is can be told there. */
export interface Origin {
  readonly policy: string;
  readonly backup: string;
  readonly snapshot: string;
  readonly target: string;
  /** The run that captures. */
  readonly run: string;
}

/** Something that a capture left with a server instead of in a repository. Nothing secret. */
export interface Reference {
  /** The place on the server, told from every other: `<cluster>/<repository>`. */
  readonly store: string;
  /** Its name there. */
  readonly name: string;
  /** Tells it from another that had the same name. */
  readonly id: string;
}

/** Everything of ours in one place on a server. */
export interface ReferenceListing {
  readonly store: string;
  readonly found: readonly (Reference & { readonly origin: Origin })[];
}

/** How an engine reaches what it left with servers. */
export interface ReferenceKeeper<T> {
  /** Where a target leaves references, as the policy tells it, so that one place is asked once; null where it leaves none. */
  place(target: T): string | null;
  /** What carries an origin there, by one request. */
  list(target: T, context: Context): Promise<ReferenceListing>;
  /** Why what a reference means is not there, whole; null when it is. Throws where the server cannot be asked. */
  flawOf(target: T, reference: Reference, context: Context): Promise<string | null>;
  /** Removes it; what is gone is no failure. Refuses what lies with another server, and what is not what it says. */
  release(target: T, reference: Reference, context: Context): Promise<void>;
}
