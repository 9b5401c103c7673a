import type { Context } from '../context.ts';
import type { Lookups } from '../policy/references.ts';
import type { ResolvedPolicy } from '../policy/resolved-policy.ts';
import type { Repository } from '../repositories/repository.ts';
import type { Unshared } from '../snapshots/known-contents.ts';

/** What a run is given by the machine it runs on. */
export interface Edge {
  /** Never aborted by the user: hooks, leases and records must be finished after a signal too. */
  readonly context: Context;
  /** Aborted when the user wants the run to end. */
  readonly signal: AbortSignal;
  readonly lookups: Lookups;
  /** Folder of the catalog; may be deleted at any time. */
  readonly cacheDir: string;
  readonly bkpVersion: string;
  /** How long a runner may be silent before others take its leases over; default a minute. */
  readonly leaseMs?: number;
  /** A new id for a snapshot or run that starts now. */
  newId(at: Date): string;
}

/** A policy with its repositories opened: what planning and applying work on. */
export interface Session extends Edge {
  readonly policy: ResolvedPolicy;
  /** In policy order. */
  readonly repositories: readonly SessionRepository[];
  /** What was noticed when it was opened: every plan says so. */
  readonly notices?: readonly string[];
  /** What an observation is to look at, where a plan has looked at everything before. Default: everything. */
  readonly scope?: Scope;
  /** Backup folders of which an observation believes nothing that only a repository's index tells. Default: none. */
  readonly unshared?: Unshared;
}

export interface Scope {
  /** Backup folders. */
  readonly folders: ReadonlySet<string>;
  /** The ids of the repositories by name, as everything that remembers them told the plan. */
  readonly identities: Readonly<Record<string, string>>;
}

export type SessionRepository =
  | { readonly name: string; readonly repository: Repository }
  /** Cannot even be opened: a reference of its configuration is unset. */
  | { readonly name: string; readonly repository: null; readonly problem: string; readonly hint: string | null };

/** The context for work that a signal must stop. */
export const stoppable = (edge: Edge): Context => edge.context.withSignal(edge.signal);
