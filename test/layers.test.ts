import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = new URL('../src/', import.meta.url).pathname;
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

interface Import {
  readonly file: string;
  /** Path below src, or the name of a package. */
  readonly of: string;
  readonly typeOnly: boolean;
}

const imports: readonly Import[] = files.flatMap((file) => {
  const text = readFileSync(join(SRC, file), 'utf8');
  const found = [...text.matchAll(/(?:^|\n)(?:import|export)\s+(type\s)?[^;]*?from\s+'([^']+)'|import\('([^']+)'\)/g)];
  return found.map((match): Import => {
    const of = match[2] ?? match[3] ?? '';
    return { file, of: of.startsWith('.') ? normalize(join(dirname(file), of)) : of, typeOnly: match[1] !== undefined };
  });
});

const folderOf = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : path);
const offending = (wrong: (found: Import) => boolean): readonly string[] =>
  imports.filter(wrong).map(({ file, of }) => `${file} imports ${of}`);

/** What each folder may import besides itself, `generated/`, `errors.ts`, `context.ts` and `event.ts`; types are free where listed. */
const ALLOWED: Readonly<Record<string, { readonly code: readonly string[]; readonly types: readonly string[] }>> = {
  encryption: { code: [], types: [] },
  signing: { code: [], types: [] },
  policy: { code: ['encryption', 'signing'], types: ['engines', 'streams'] },
  schedule: { code: [], types: ['policy'] },
  streams: { code: ['system', 'encryption'], types: ['engines', 'repositories', 'snapshots'] },
  s3: { code: [], types: [] },
  engines: { code: ['s3'], types: ['streams', 'policy'] },
  repositories: { code: ['s3'], types: ['policy'] },
  snapshots: { code: ['schedule', 'signing'], types: ['engines', 'repositories', 'policy'] },
  reconcile: {
    code: ['policy', 'snapshots', 'schedule', 'streams', 'engines', 'repositories', 'encryption', 'signing'],
    types: [],
  },
  report: { code: ['reconcile'], types: ['policy', 'snapshots', 'engines'] },
  system: {
    code: ['engines', 'report', 'snapshots', 'demo', 'encryption'],
    types: ['policy', 'reconcile', 'repositories'],
  },
};
/** The contract that everything on top of a repository is written against: no adapter is in it. */
const CONTRACT = ['repositories/key.ts'];
const VOCABULARY = [
  'generated',
  'errors.ts',
  'context.ts',
  'event.ts',
  'format-bytes.ts',
  'duration.ts',
  'each-limited.ts',
  'read-lines.ts',
  'version.ts',
];

/** Pure: data and time in, data out. */
const PURE = [
  /^reconcile\/plan/,
  /^reconcile\/(?:backup-view|definition|draft|expectations|inventory-digest|observation|phrases|reasons|select-snapshot|step)\.ts$/,
  /^snapshots\/(?:retention|calendar|standing|inventory|canonical-json|manifest|trust)\.ts$/,
  /^schedule\//,
  /^policy\/(?:rules|resolve)/,
];
const IMPURE_GLOBALS = /\b(?:Date\.now\(|new Date\(\)|process\.|Math\.random\(|performance\.)/;

describe('layers', () => {
  it('sees the source', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(imports.length).toBeGreaterThan(150);
  });

  it.each(Object.keys(ALLOWED))('%s imports only what it may', (folder) => {
    const { code, types } = ALLOWED[folder] ?? { code: [], types: [] };
    const wrong = offending(({ file, of, typeOnly }) => {
      if (folderOf(file) !== folder || !of.endsWith('.ts')) return false;
      const from = folderOf(of);
      return !CONTRACT.includes(of) && ![folder, ...VOCABULARY, ...code, ...(typeOnly ? types : [])].includes(from);
    });
    expect(wrong).toEqual([]);
  });

  it('lets only the registry and the job entry import a single engine', () => {
    const wrong = offending(
      ({ file, of }) =>
        folderOf(of) === 'engines' &&
        folderOf(file) !== 'engines' &&
        !['engines/engine.ts', 'engines/part-facts.ts', 'engines/references.ts', 'engines/registry.ts'].includes(of) &&
        file !== 'system/job-main.ts',
    );
    expect(wrong).toEqual([]);
  });

  it('touches processes only in system/', () => {
    expect(
      offending(
        ({ file, of }) =>
          ['node:child_process', 'execa', 'node:process', 'node:os'].includes(of) && folderOf(file) !== 'system',
      ),
    ).toEqual([]);
  });

  it('keeps pure files free of I/O, clocks and the environment', () => {
    const pure = files.filter((file) => PURE.some((pattern) => pattern.test(file)));
    expect(pure.length).toBeGreaterThan(20);
    expect(
      offending(
        ({ file, of }) => pure.includes(file) && of.startsWith('node:') && !['node:crypto', 'node:path'].includes(of),
      ),
    ).toEqual([]);
    const impure = pure.filter((file) =>
      IMPURE_GLOBALS.test(readFileSync(join(SRC, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')),
    );
    expect(impure).toEqual([]);
  });

  it('has no file over 300 lines and a median under 90', () => {
    const sizes = files
      .filter((file) => !file.startsWith('generated/'))
      .map((file) => ({ file, lines: readFileSync(join(SRC, file), 'utf8').split('\n').length }));
    expect(sizes.filter(({ lines }) => lines > 300)).toEqual([]);
    const sorted = sizes.map(({ lines }) => lines).toSorted((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(90);
  });
});
