import { matchesGlob, posix } from 'node:path';
import type { Diagnostic } from '../../src/errors.ts';
import { examinePolicy, type PolicyExamination } from '../../src/policy/load.ts';
import type { PolicyFiles } from '../../src/policy/read-documents.ts';
import type { ResolvedPolicy } from '../../src/policy/resolved-policy.ts';

/** Policy files that exist only in memory, below `/work`; `-` is standard input. */
export function memoryFiles(files: Readonly<Record<string, string | Uint8Array>>): PolicyFiles {
  const absolute = (path: string): string => posix.resolve('/work', path);
  const stored = new Map(Object.entries(files).map(([path, text]) => [path === '-' ? '-' : absolute(path), text]));
  return {
    absolute,
    read: async (path) => {
      const text = stored.get(path);
      if (text === undefined)
        throw Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: 'ENOENT' });
      return Buffer.from(text);
    },
    glob: async (pattern, directory) =>
      [...stored.keys()].filter((path) => matchesGlob(path, posix.resolve(directory, pattern))).toSorted(),
  };
}

/** Examines one policy text, or several files of which `bkp.yaml` is the main one. */
export function examine(policy: string | Readonly<Record<string, string>>): Promise<PolicyExamination> {
  const files = typeof policy === 'string' ? { 'bkp.yaml': policy } : policy;
  return examinePolicy({ path: 'bkp.yaml', files: memoryFiles(files) });
}

/** The problems in the form people see them, one line each. */
export async function problemsOf(policy: string | Readonly<Record<string, string>>): Promise<readonly string[]> {
  return (await examine(policy)).diagnostics.map(line);
}

/** Only those with one of the codes. */
export async function problemsWith(
  policy: string | Readonly<Record<string, string>>,
  ...codes: readonly string[]
): Promise<readonly string[]> {
  return (await examine(policy)).diagnostics.filter(({ code }) => codes.includes(code)).map(line);
}

const line = ({ file, range, code, message }: Diagnostic): string =>
  `${file}:${range.start.line}:${range.start.column} ${code} ${message}`;

/** The resolved form of a policy that must be good. */
export async function resolved(policy: string | Readonly<Record<string, string>>): Promise<ResolvedPolicy> {
  const examination = await examine(policy);
  if (examination.policy === undefined) throw new Error(examination.diagnostics.map(line).join('\n'));
  return examination.policy;
}

/** A small good policy; `parts` replace or add top-level lines. */
export const GOOD = `version: 1
name: acme
repositories:
  nas: { type: directory, path: /var/backups }
targets:
  app-db: { type: sqlite, path: data/app.db }
  app-files: { type: files, paths: [conf, /etc/app] }
defaults:
  repositories: [nas]
  retention: { keepLast: 2, daily: 7 }
backups:
  app:
    targets: [app-db, app-files]
    schedule: "0 2 * * *"
`;
