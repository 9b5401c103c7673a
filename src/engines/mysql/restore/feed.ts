import type { Facts, IncomingArtifact } from '../../engine.ts';
import type { ScriptStatement } from '../dump/definitions.ts';
import type { Statement } from '../dump/statement.ts';
import type { ClientOrder } from './client.ts';

/** A dump and the database that it goes into. */
export interface Feed extends ClientOrder {
  readonly artifact: IncomingArtifact;
  readonly noOwner: boolean;
  /** Tables and rows only; else everything but events, which would run at once. */
  readonly tablesOnly: boolean;
}

/** What a dump held. */
export interface FedDump {
  readonly facts: Facts;
  /** What makes its views, triggers, routines and events. */
  readonly definitions: readonly ScriptStatement[];
}

/** Tables and rows only, or everything but events. */
export function isRun({ kind, of }: Statement, tablesOnly: boolean): boolean {
  if (kind === 'event' || (kind === 'drop' && of === 'event')) return false;
  if (!tablesOnly) return true;
  return !['view', 'view-stand-in', 'trigger', 'routine', 'drop', 'alter-database'].includes(kind);
}
