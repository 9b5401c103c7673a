import type { Diagnostic } from '../errors.ts';
import { validatePolicy } from '../generated/validate-policy.js';
import { diagnose } from './diagnose.ts';
import type { PolicyDocument } from './document.ts';
import { recordOf, type CheckedDocument } from './policy-set.ts';
import { schemaProblems } from './schema-problems.ts';

export type Role = 'main' | 'included';

export interface DocumentFindings extends CheckedDocument {
  readonly diagnostics: readonly Diagnostic[];
}

const MAIN_ONLY: readonly string[] = ['version', 'name', 'formerly', 'include', 'signing'];

/** Syntax, then schema of one file. An included file may hold everything but what belongs to the whole policy. */
export function checkDocument(document: PolicyDocument, role: Role): DocumentFindings {
  if (document.syntaxErrors.length > 0) {
    const problems = document.syntaxErrors.map(({ at, message, hint }) =>
      diagnose('BKP1001', { document, at }, message, hint),
    );
    return { document, misfits: [[]], diagnostics: problems };
  }
  if (document.data === null || document.data === undefined) {
    const hint = role === 'main' ? '`bkp init` writes a first policy' : null;
    const problem = diagnose('BKP1010', { document, path: [], part: 'value' }, 'the policy is empty', hint);
    return { document, misfits: [[]], diagnostics: [problem] };
  }
  const misplaced = role === 'main' ? [] : MAIN_ONLY.filter((key) => key in recordOf(document.data));
  const diagnostics = misplaced.map((key) =>
    diagnose(
      'BKP1011',
      { document, path: [key], part: 'key' },
      `"${key}" belongs in the main file only`,
      'remove it here',
    ),
  );
  if (validatePolicy(role === 'main' ? document.data : asMain(document.data))) {
    for (const { at, message, hint } of document.ambiguous)
      diagnostics.push(diagnose('BKP1012', { document, at }, message, hint));
    return { document, misfits: [], diagnostics };
  }
  const problems = schemaProblems(document, validatePolicy.errors ?? []);
  diagnostics.push(...problems.map(({ diagnostic }) => diagnostic));
  return { document, misfits: problems.map(({ path }) => path), diagnostics };
}

function asMain(data: unknown): unknown {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return data;
  const { include: _include, formerly: _formerly, signing: _signing, ...rest } = data as Record<string, unknown>;
  return { ...rest, version: 1, name: 'included' };
}
