import { checkExport } from './elasticsearch/artifact/check.ts';
import { DEFINITIONS_FORMAT, DOCUMENTS_FORMAT } from './elasticsearch/artifact/index-header.ts';
import { captureExport } from './elasticsearch/capture/capture.ts';
import { probeExport } from './elasticsearch/capture/probe.ts';
import { nativeRestore } from './elasticsearch/native-restore.ts';
import { inspectSearchDestination } from './elasticsearch/restore/inspect-destination.ts';
import { restoreExport } from './elasticsearch/restore/restore.ts';
import { removeSearchAside, searchAsideExists } from './elasticsearch/restore/set-aside.ts';
import type { Engine } from './engine.ts';

/** Indices of Elasticsearch and OpenSearch as portable files: documents as they were sent, and what makes their indices again. */
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
    formats: [DOCUMENTS_FORMAT, DEFINITIONS_FORMAT],
  },
  probe: probeExport,
  capture: captureExport,
  check: (artifacts) => checkExport(artifacts),
  inspectDestination: inspectSearchDestination,
  restore: restoreExport,
  nativeRestore,
  setAsideExists: searchAsideExists,
  removeSetAside: removeSearchAside,
};
