import { basename, dirname, relative, sep } from 'node:path';
import { hasErrnoCode, reasonOf, type Diagnostic } from '../errors.ts';
import { diagnose, diagnosePosition } from './diagnose.ts';
import { parseDocumentText, type PolicyDocument } from './document.ts';
import { policyData } from './policy-set.ts';

/** How policy files are reached; `system/policy-files.ts` is the real one. */
export interface PolicyFiles {
  /** The absolute form of a path as given by a person. */
  absolute(path: string): string;
  /** The bytes of a file by its absolute path; `-` is standard input. */
  read(path: string): Promise<Uint8Array>;
  /** Absolute paths of the files that match a glob relative to a folder, sorted. */
  glob(pattern: string, directory: string): Promise<readonly string[]>;
}

/** The files that could be read, the main one first, and what is wrong with reading the others. */
export interface ReadDocuments {
  readonly main: PolicyDocument | undefined;
  readonly included: readonly PolicyDocument[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the main file and every file that it includes; a file named twice is read once. */
export async function readDocuments(path: string, files: PolicyFiles): Promise<ReadDocuments> {
  const absolute = files.absolute(path);
  const isStdin = path === '-';
  const names = { file: isStdin ? '<stdin>' : path, key: isStdin ? '-' : basename(path), directory: dirname(absolute) };
  const main = await readDocument(files, isStdin ? '-' : absolute, names);
  if ('diagnostic' in main) return { main: undefined, included: [], diagnostics: [main.diagnostic] };
  const included: PolicyDocument[] = [];
  const diagnostics: Diagnostic[] = [];
  const seen = new Set(isStdin ? [] : [absolute]);
  for (const [index, pattern] of includePatterns(main.document)) {
    const place = { document: main.document, path: ['include', index], part: 'value' } as const;
    const matches = (await files.glob(pattern, names.directory)).filter((match) => isStdin || match !== absolute);
    if (matches.length === 0) {
      diagnostics.push(
        diagnose('BKP2014', place, `include "${pattern}" matches no file`, `looked in ${names.directory}`),
      );
    }
    for (const match of matches.filter((one) => !seen.has(one))) {
      seen.add(match);
      const key = relative(names.directory, match).split(sep).join('/');
      const prefix = isStdin ? '.' : dirname(path);
      const file = prefix === '.' ? key : `${prefix}/${key}`;
      const result = await readDocument(files, match, { file, key, directory: dirname(match) });
      if ('document' in result) included.push(result.document);
      else diagnostics.push(diagnose('BKP1000', place, result.diagnostic.message));
    }
  }
  return { main: main.document, included, diagnostics };
}

function includePatterns(document: PolicyDocument): readonly (readonly [number, string])[] {
  const patterns: unknown = policyData(document).include;
  if (!Array.isArray(patterns)) return [];
  return [...patterns.entries()].filter(
    (entry): entry is [number, string] => typeof entry[1] === 'string' && entry[1] !== '',
  );
}

type ReadResult = { readonly document: PolicyDocument } | { readonly diagnostic: Diagnostic };

async function readDocument(
  files: PolicyFiles,
  path: string,
  names: { readonly file: string; readonly key: string; readonly directory: string },
): Promise<ReadResult> {
  const start = { file: names.file, line: 1, column: 1 };
  let bytes: Uint8Array;
  try {
    bytes = await files.read(path);
  } catch (error) {
    const missing = hasErrnoCode(error, 'ENOENT');
    const hint = missing ? 'name another with -f, or write a first one with `bkp init`' : null;
    const reason = missing ? 'no such file' : reasonOf(error);
    return { diagnostic: diagnosePosition('BKP1000', start, `cannot read policy "${names.file}": ${reason}`, hint) };
  }
  try {
    return { document: parseDocumentText(new TextDecoder('utf-8', { fatal: true }).decode(bytes), names) };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const message = `cannot read policy "${names.file}": it is not UTF-8 text`;
    return { diagnostic: diagnosePosition('BKP1000', start, message, null) };
  }
}
