import { PolicyError, type Diagnostic } from '../errors.ts';
import { checkDocument } from './check-document.ts';
import { sortDiagnostics } from './diagnose.ts';
import { joinDocuments } from './policy-set.ts';
import { readDocuments, type PolicyFiles } from './read-documents.ts';
import { resolvePolicy } from './resolve.ts';
import type { ResolvedPolicy } from './resolved-policy.ts';
import { applyRules } from './rules.ts';

export interface LoadOptions {
  /** The main file as given by a person; `-` is standard input. */
  readonly path: string;
  readonly files: PolicyFiles;
}

export interface PolicyExamination {
  /** Undefined when there are errors. */
  readonly policy: ResolvedPolicy | undefined;
  /** Errors and warnings, sorted by file and position. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface LoadedPolicy {
  readonly policy: ResolvedPolicy;
  readonly warnings: readonly Diagnostic[];
}

/** Reads a policy that must be good; throws a PolicyError with all problems when it is not. Looks up no reference. */
export async function loadPolicy(options: LoadOptions): Promise<LoadedPolicy> {
  const { policy, diagnostics } = await examinePolicy(options);
  if (policy === undefined) throw new PolicyError(options.path, diagnostics);
  return { policy, warnings: diagnostics };
}

/** Finds everything wrong with a policy and the files it includes; never throws for what they hold. */
export async function examinePolicy({ path, files }: LoadOptions): Promise<PolicyExamination> {
  const documents = await readDocuments(path, files);
  if (documents.main === undefined) return { policy: undefined, diagnostics: documents.diagnostics };
  const main = checkDocument(documents.main, 'main');
  const included = documents.included.map((document) => checkDocument(document, 'included'));
  const set = joinDocuments(main, included);
  const diagnostics = sortDiagnostics([
    ...documents.diagnostics,
    ...[main, ...included].flatMap((checked) => checked.diagnostics),
    ...applyRules(set),
  ]);
  const failed = diagnostics.some((one) => one.severity === 'error');
  return { policy: failed ? undefined : resolvePolicy(set, path), diagnostics };
}
