import { checkExport } from './elasticsearch/artifact/check.ts';
import {
  DEFINITIONS_FORMAT,
  DOCUMENTS_FORMAT,
  REFERENCE_FORMAT,
  STREAM_FORMAT,
} from './elasticsearch/artifact/index-header.ts';
import { captureExport } from './elasticsearch/capture/capture.ts';
import { probeIndices } from './elasticsearch/capture/probe.ts';
import { nativeRestore } from './elasticsearch/native-restore.ts';
import { inspectSearchDestination } from './elasticsearch/restore/inspect-destination.ts';
import { restoreIndices } from './elasticsearch/restore/restore.ts';
import { removeSearchAside, searchAsideExists } from './elasticsearch/restore/set-aside.ts';
import { captureSnapshot } from './elasticsearch/snapshot/capture.ts';
import { snapshotKeeper } from './elasticsearch/snapshot/references.ts';
import type { Engine } from './engine.ts';

/**
 * Indices of Elasticsearch and OpenSearch as portable files (documents as they were sent, and what makes
 * their indices again), or as a reference to a snapshot that the server takes into a repository of its own.
 */
export const elasticsearch: Engine<'elasticsearch'> = {
  type: 'elasticsearch',
  capabilities: {
    modes: ['new', 'replace', 'merge'],
    sqlChecks: false,
    paths: true,
    pathsWithin: false,
    noOwner: false,
    safetyBeforeMerge: true,
    local: false,
    tools: [],
    formats: [DOCUMENTS_FORMAT, DEFINITIONS_FORMAT, REFERENCE_FORMAT, STREAM_FORMAT],
  },
  probe: probeIndices,
  capture: (target, context, origin) =>
    target.method === 'snapshot' ? captureSnapshot(target, context, origin) : captureExport(target, context),
  references: snapshotKeeper,
  check: (artifacts) => checkExport(artifacts),
  inspectDestination: inspectSearchDestination,
  restore: restoreIndices,
  nativeRestore,
  setAsideExists: searchAsideExists,
  removeSetAside: removeSearchAside,
};
