import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import type { IncomingArtifact } from '../engines/engine.ts';
import { integrityError } from '../errors.ts';
import { readLines } from '../read-lines.ts';
import { isKeySegment } from '../repositories/key.ts';
import type { ListedFile } from './bytes.ts';

/** What an artifact lists, as often as it is asked for. Throws `integrity` at a line that is none. */
export type FileList = () => AsyncGenerator<ListedFile, undefined>;

/** Keeps the list that an artifact is in the private folder as long as it is used: there may be millions of lines. */
export async function withFileList<T>(
  list: Pick<IncomingArtifact, 'into'>,
  { workDir }: Pick<Context, 'workDir'>,
  use: (files: FileList) => Promise<T>,
): Promise<T> {
  const path = join(workDir, `list-${randomUUID()}`);
  try {
    await list.into({ kind: 'file', path });
    return await use(() => filesIn(path));
  } finally {
    await rm(path, { force: true });
  }
}

async function* filesIn(path: string): AsyncGenerator<ListedFile, undefined> {
  for await (const line of readLines(path)) {
    const file = parseLine(line);
    if (file !== null) yield file;
  }
  return undefined;
}

/** Null for a line that is about no file. */
function parseLine(line: string): ListedFile | null {
  const value = asRecord(line);
  if (value === undefined) throw integrityError('cannot read a list of files: a line of it is malformed');
  const { key, entry, bytes, sha256 } = value;
  if (entry === undefined) return null;
  const isFile =
    typeof key === 'string' &&
    typeof entry === 'string' &&
    isKeySegment(entry) &&
    typeof bytes === 'number' &&
    Number.isSafeInteger(bytes) &&
    bytes >= 0 &&
    typeof sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(sha256);
  if (!isFile) throw integrityError('cannot read a list of files: a line of it is malformed');
  return { ...value, key, entry, bytes, sha256 };
}

function asRecord(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
