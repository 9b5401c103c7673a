import { isAlias, isMap, parseDocument, visit, type Document, type YAMLWarning } from 'yaml';
import { firstNestingLimit } from './nesting.ts';
import { guessSecretOffsets, secretOffsets, type Offsets } from './secret-text.ts';

/** One policy file: its text, its YAML tree for positions, and its plain data. */
export interface PolicyDocument {
  /** As shown to people. */
  readonly file: string;
  /** Relative to the main file: the same however the policy was named. */
  readonly key: string;
  /** The folder it stands in, absolute: relative paths start here. */
  readonly directory: string;
  readonly text: string;
  /** Offset of the first character of each line. */
  readonly lineStarts: readonly number[];
  readonly yaml: Document;
  /** Undefined when the text is not well-formed. */
  readonly data: unknown;
  readonly syntaxErrors: readonly SyntaxProblem[];
  /** Plain values that YAML 1.1 readers take for something else (`no`, `12:30`). */
  readonly ambiguous: readonly SyntaxProblem[];
  /** Values of marked fields, never to be shown; guessed where the text is not well-formed. */
  readonly secrets: readonly Offsets[];
}

export interface SyntaxProblem {
  readonly at: Offsets;
  readonly message: string;
  readonly hint?: string;
}

interface Parsed {
  readonly yaml: Document;
  readonly data: unknown;
  readonly errors: readonly SyntaxProblem[];
  readonly ambiguous: readonly SyntaxProblem[];
}

const MAX_CHARACTERS = 1024 * 1024;
/** Values that aliases may stand for, all together. */
const MAX_ALIASES = 100;
const MAX_ALIASES_WRITTEN = 1000;
const OPTIONS = {
  prettyErrors: false,
  stringKeys: true,
  merge: true,
  keepSourceTokens: false,
  compat: 'yaml-1.1',
} as const;

/** Parses one file: anchors and merge keys work, every parser warning is an error, keys are strings. */
export function parseDocumentText(
  text: string,
  names: { readonly file: string; readonly key: string; readonly directory: string },
): PolicyDocument {
  const { yaml, data, errors, ambiguous } = parseYaml(text);
  let secrets: readonly Offsets[] | undefined;
  return {
    ...names,
    text,
    lineStarts: lineStartsOf(text),
    yaml,
    data,
    syntaxErrors: errors,
    ambiguous,
    get secrets() {
      return (secrets ??= errors.length > 0 ? guessSecretOffsets(text) : secretOffsets(yaml));
    },
  };
}

function parseYaml(text: string): Parsed {
  const limit = text.length > MAX_CHARACTERS ? { at: 0, message: 'longer than 1 MiB' } : firstNestingLimit(text);
  if (limit !== undefined) {
    return {
      yaml: parseDocument(''),
      data: undefined,
      errors: [problemAt(limit.at, limit.message)],
      ambiguous: [],
    };
  }
  const yaml = parseDocument(text, OPTIONS);
  const found = [...yaml.errors, ...yaml.warnings.filter((warning) => !isAmbiguity(warning))];
  const told = found.length > 1 ? found.filter((error) => error.code !== 'RESOURCE_EXHAUSTION') : found;
  const errors = told.map((error) => ({
    at: { start: error.pos[0], end: error.pos[1] },
    message: plainMessage(error.code, error.message),
  }));
  if (errors.length === 0) errors.push(...aliasProblems(yaml), ...directiveProblems(yaml));
  const ambiguous = yaml.warnings.filter(isAmbiguity).map((warning) => ambiguityAt(text, warning.pos));
  if (errors.length > 0) return { yaml, data: undefined, errors, ambiguous };
  try {
    return { yaml, data: yaml.toJS({ maxAliasCount: MAX_ALIASES }) as unknown, errors: [], ambiguous };
  } catch (error) {
    const message = error instanceof Error ? lowerFirst(error.message) : 'cannot be read';
    return { yaml, data: undefined, errors: [mergeProblem(yaml, message)], ambiguous };
  }
}

/** What the parser says of a value that its `compat` schema reads in another way; it has no code of its own. */
const isAmbiguity = ({ message }: YAMLWarning): boolean => message.startsWith('Value may be parsed as either');

const ambiguityAt = (text: string, [start, end]: readonly [number, number]): SyntaxProblem => ({
  at: { start, end },
  message: `${JSON.stringify(text.slice(start, end))} is text here and something else to readers of YAML 1.1`,
  hint: 'put it in quotes',
});

const problemAt = (start: number, message: string): SyntaxProblem => ({ at: { start, end: start + 1 }, message });
const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** The parser's own line counter stops where it stumbles, so lines are counted here. */
function lineStartsOf(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** The parser's words without the piece of source it may quote, which can be a secret. */
function plainMessage(code: string, message: string): string {
  if (code === 'MULTIPLE_DOCS') return 'more than one document in a file';
  if (code === 'TAG_RESOLVE_FAILED') return lowerFirst(message).replace('unresolved', 'unknown');
  if (code === 'NON_STRING_KEY') return 'a key must be text';
  if (code === 'DUPLICATE_KEY') return 'the same key twice in one map';
  if (code === 'RESOURCE_EXHAUSTION') return 'cannot be parsed';
  return lowerFirst(message).replace(/: ["'].*$/s, '');
}

function aliasProblems(yaml: Document): readonly SyntaxProblem[] {
  const problems: SyntaxProblem[] = [];
  let count = 0;
  visit(yaml, {
    Alias(_key, alias) {
      if (++count > MAX_ALIASES_WRITTEN) {
        problems.push({ at: { start: 0, end: 1 }, message: `more than ${MAX_ALIASES_WRITTEN} aliases` });
        return visit.BREAK;
      }
      const [start = 0, end = start + 1] = alias.range ?? [];
      const anchor = alias.resolve(yaml);
      if (anchor === undefined) {
        problems.push({ at: { start, end }, message: `no anchor &${alias.source} stands before this alias` });
      } else if (anchor.range && anchor.range[0] <= start && end <= anchor.range[1]) {
        problems.push({ at: { start, end }, message: `anchor &${alias.source} contains itself` });
      }
      return undefined;
    },
  });
  return problems;
}

function directiveProblems(yaml: Document): readonly SyntaxProblem[] {
  const directive = yaml.directives?.yaml;
  return directive?.explicit === true && directive.version !== '1.2'
    ? [{ ...problemAt(0, `YAML ${directive.version} is not read here`), hint: 'remove the %YAML directive' }]
    : [];
}

/** Merge keys are checked only while the tree becomes data; finds the one that is meant. */
function mergeProblem(yaml: Document, message: string): SyntaxProblem {
  let at: Offsets = { start: 0, end: 1 };
  visit(yaml, {
    Pair(_key, pair) {
      const key = pair.key as { value?: unknown; range?: readonly [number, number, number] | null } | null;
      if (key?.value !== '<<' || !key.range) return undefined;
      const source = isAlias(pair.value) ? pair.value.resolve(yaml) : pair.value;
      if (isMap(source)) return undefined;
      at = { start: key.range[0], end: key.range[1] };
      return visit.BREAK;
    },
  });
  return { at, message };
}
