import type { Context } from '../../../context.ts';
import { integrityError } from '../../../errors.ts';
import type { Facts, FactValue } from '../../engine.ts';
import type { ServerVersion } from '../server/version.ts';
import { isSameMajor } from '../server/version.ts';
import { newName } from '../server/own-names.ts';
import type { SearchServer } from '../server/server.ts';
import { actionOf } from './added.ts';
import { type Item, sendBatch } from './bulk.ts';
import { contentsOf, createIndex, deleteIndex } from './index-steps.ts';
import { sendAll } from './send-all.ts';
import { whileFilled, withKnownSettings } from './settings.ts';
import type { WantedIndex } from './wanted.ts';

/** A document with this id is there already: an earlier attempt made it. */
const CONFLICT = 409;

export interface Building {
  readonly server: SearchServer;
  readonly context: Context;
  /** The server that was captured. */
  readonly captured: ServerVersion;
  /** Bulk requests under way at once. */
  readonly atOnce: number;
  /** Facts of the manifest, where they are known. */
  readonly expectedFacts: Facts | null;
  readonly warn: (message: string) => void;
}

/** Fills an index beside the place where it shall stand, and looks whether all is there. */
export async function buildBeside(wanted: WantedIndex, building: Building): Promise<void> {
  const { server, context, atOnce, warn } = building;
  const name = newName(wanted.to);
  await deleteIndex(server, name);
  await withKnownSettings(
    whileFilled(wanted.settings),
    (settings) => createIndex(server, name, settings, wanted.mappingsBody),
    (setting) => warn(`index ${wanted.to}: setting ${setting} does not carry over to this server`),
  );
  const see = (items: readonly Item[]): void => {
    for (const { status, reason, lines } of items) {
      if (reason !== null && status !== CONFLICT)
        throw integrityError(
          `cannot restore document ${JSON.stringify(actionOf(lines)._id)} of index ${wanted.name}: ${reason}`,
        );
    }
  };
  if (wanted.artifact !== null)
    await sendAll(wanted.artifact, atOnce, (batch) =>
      sendBatch(server, { index: name, batch, isRepeatable: true, see }, context),
    );
  await assertWhole(wanted, building, name);
}

/** Compares what came in with what was captured; gives the number of documents that are there. */
export async function assertWhole(wanted: WantedIndex, building: Building, name: string): Promise<number> {
  const { server, captured, expectedFacts, warn } = building;
  const { documents, mappings } = await contentsOf(server, name);
  if (wanted.isUncounted === true || wanted.isClosed === true) return documents;
  const told = { documents: wanted.documents, mappings: wanted.mappings };
  const expected = {
    documents: inFacts(expectedFacts, 'documents', wanted.name) ?? told.documents,
    mappings: inFacts(expectedFacts, 'mappings', wanted.name) ?? told.mappings,
  };
  if (documents !== expected.documents)
    throw integrityError(
      `cannot restore index ${wanted.name}: ${documents} documents came in, not ${JSON.stringify(expected.documents)}`,
    );
  if (mappings === expected.mappings) return documents;
  if (isSameMajor(captured, server.version))
    throw integrityError(`cannot restore index ${wanted.name}: its mappings are not those that were captured`);
  warn(`index ${wanted.to}: this server writes its mappings in another way`);
  return documents;
}

function inFacts(facts: Facts | null, key: string, index: string): FactValue | undefined {
  const group = facts?.[key];
  return typeof group === 'object' && group !== null ? group[index] : undefined;
}
