import { targetError } from '../errors.ts';
import type { Engine } from './engine.ts';
import { captureCommand } from './command/capture.ts';
import { checkCommand } from './command/check.ts';
import { destinationProblems, restoreCommand } from './command/restore.ts';
import { missingPrograms } from './command/programs.ts';
import { shellQuote } from './shell-quote.ts';

/** What bkp knows nothing of: programs of the user's own that write it to their stdout and take it back from their stdin. */
export const command: Engine<'command'> = {
  type: 'command',
  capabilities: {
    modes: ['new', 'replace', 'merge'],
    sqlChecks: false,
    paths: false,
    pathsWithin: false,
    noOwner: false,
    safetyBeforeMerge: true,
    local: true,
    tools: [],
    formats: ['command'],
  },

  probe: async (target, context) => ({
    versions: { server: null, tool: null },
    estimatedBytes: null,
    problems: missingPrograms(target, ['capture', 'check', 'facts'], context),
    warnings: [],
  }),

  capture: (target, context) => captureCommand(target, context),
  check: (artifacts, context, definition) => checkCommand(artifacts, definition, context),

  inspectDestination: async (destination, context, coming) => ({
    state: 'unknown',
    description: 'known only to its program',
    problems: destinationProblems(destination, coming?.mode, context),
    replacedInPlace: true,
  }),

  restore: (request, context) => restoreCommand(request, context),

  nativeRestore({ restore, directory }, { decode }) {
    const program = restore.map(shellQuote).join(' ');
    return `${decode} | ${directory === undefined ? program : `(cd ${shellQuote(directory)} && ${program})`}`;
  },

  // Its program replaces what is there: nothing is ever set aside.
  setAsideExists: async () => false,
  async removeSetAside(old) {
    throw targetError(`cannot remove ${old.reference}: no restore by a program sets anything aside`);
  },
};
