import type { DestinationState } from '../engines/engine.ts';
import type { ReferenceListing } from '../engines/references.ts';
import type { RepositoryInventory } from '../snapshots/inventory.ts';
import type { SetAsideRecord } from '../snapshots/run-record.ts';
import type { Definitions } from './definition.ts';
import type { Action } from './step.ts';

/** What a look at the world found; the planner's only view of it. */
export interface Observation {
  /** Every repository of the policy, in policy order. */
  readonly repositories: readonly ObservedRepository[];
  /** By backup: what its newest good snapshot captured, read where its digest differs from the policy's. */
  readonly lastDefinitions: Readonly<Record<string, Definitions>>;
  /** Old states set aside on this host that are still there. */
  readonly setAside: readonly ObservedSetAside[];
  /** By restore and target: what stands at the destinations of restores that are not done. */
  readonly destinations: Readonly<Record<string, Readonly<Record<string, ObservedDestination>>>>;
  /** What captures left with servers; absent where nobody looked. */
  readonly references?: readonly ObservedReferences[];
  /** By backup and repository: public keys that it is to be encrypted to; absent where that cannot be known. */
  readonly encryption?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** What this run can open: its own public keys, and whether it has keys whose public half is not known. */
  readonly identities?: { readonly recipients: readonly string[]; readonly hasOthers: boolean };
  /** Things noticed while looking (clocks apart, an unreadable cache). */
  readonly notices: readonly string[];
}

export type ObservedRepository =
  | {
      readonly name: string;
      readonly state: 'ready';
      readonly inventory: RepositoryInventory;
    }
  /** The place can be read but is not, or not the same, repository: an unmounted disk looks like this. */
  | {
      readonly name: string;
      readonly state: 'unidentified';
      readonly canBeMade: boolean;
      readonly message: string;
      readonly hint: string;
    }
  | { readonly name: string; readonly state: 'unavailable'; readonly message: string; readonly hint: string | null };

/** One target's place on its server. */
export type ObservedReferences =
  | ({ readonly target: string; readonly state: 'asked' } & ReferenceListing)
  /** Nobody knows what is there. */
  | { readonly target: string; readonly state: 'silent'; readonly message: string };

export interface ObservedDestination extends DestinationState {
  /** What stands there is changed in place, so that it must be captured before. */
  readonly needsSafety: boolean;
}

export interface ObservedSetAside {
  readonly repository: string;
  readonly backup: string;
  readonly record: SetAsideRecord;
}

/** What changes a plan besides policy, observation and time. */
export interface PlanOptions {
  /** The plan is for another moment than now. */
  readonly isAt?: boolean;
  readonly backups?: readonly string[];
  readonly only?: readonly Action[];
  readonly noPrune?: boolean;
  readonly pruneRemoved?: boolean;
  readonly maxPrune?: number;
  readonly initRepositories?: boolean;
  /** Backups asked for by name: captured whatever the schedule says. */
  readonly requested?: readonly string[];
}
