import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../../context.ts';
import type { IncomingArtifact } from '../../engine.ts';
import { readHead } from './head.ts';

/** A file for `--use-list`. */
export interface ListFile {
  readonly path: string;
  remove(): Promise<void>;
}

/** The table of contents, one entry a line, as pg_restore prints and reads it. */
export async function readList(
  artifact: IncomingArtifact,
  program: string,
  context: Context,
): Promise<readonly string[]> {
  const lines: string[] = [];
  await readHead(artifact, { argv: [program, '--list'] }, context, (line) => lines.push(line));
  return lines.filter((line) => /^\d+; /.test(line));
}

/** Writes the table of contents without some entries, for `--use-list`. */
export async function listWithout(
  leftOut: ReadonlyMap<number, unknown>,
  artifact: IncomingArtifact,
  program: string,
  context: Context,
): Promise<ListFile> {
  const lines = await readList(artifact, program, context);
  return writeList(
    lines.filter((line) => !leftOut.has(Number.parseInt(line, 10))),
    context,
  );
}

/** Writes entries for `--use-list`. */
export async function writeList(lines: readonly string[], context: Context): Promise<ListFile> {
  const path = join(context.workDir, `list-${randomUUID()}`);
  await writeFile(path, lines.map((line) => `${line}\n`).join(''), { mode: 0o600, flag: 'wx' });
  return { path, remove: () => rm(path, { force: true }) };
}
