import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { choiceOf, listLine } from '../../../src/engines/postgres/script/choice.ts';
import { createScriptFilter, type ScriptChoice } from '../../../src/engines/postgres/script/filter.ts';
import { connectionOf, servicesToTry } from '../../services/connection.ts';
import { createDatabase, dropDatabase, psql } from '../../services/postgres-psql.ts';
import { ODD_DATABASE, run } from './dump-fixture.ts';

const DATABASE = 'bkp script filter';

const LONG = `d${'o'.repeat(60)}`;
/** The comment before such a function is longer than a line may be in most places. */
const MORE = `CREATE PUBLICATION p FOR TABLE texts; CREATE DOMAIN ${LONG} AS text;
  CREATE FUNCTION many(${Array.from({ length: 95 }, () => LONG).join(', ')}) RETURNS int LANGUAGE sql AS 'SELECT 1';`;

/** Gives pieces in one buffer that is overwritten afterwards. */
function filtered(script: Buffer, choice: ScriptChoice, pieceBytes: number = 64 * 1024): string {
  const filter = createScriptFilter(choice);
  const piece = Buffer.alloc(pieceBytes);
  const kept: Buffer[] = [];
  for (let at = 0; at < script.length; at += pieceBytes) {
    const bytes = script.copy(piece, 0, at, at + pieceBytes);
    kept.push(...filter.push(piece.subarray(0, bytes)).map((part) => Buffer.from(part)));
    piece.fill(0xff);
  }
  return Buffer.concat([...kept, ...filter.end()]).toString('utf8');
}

/** What is run, without what only says when or by which tool. */
const statements = (script: string): readonly string[] =>
  script
    .split('\n')
    .filter(
      (line) => line !== '' && !/^(?:-- (?:TOC entry|Dependencies|Started|Completed)|\\(?:un)?restrict )/.test(line),
    )
    .filter((line) => !line.startsWith('SET default_'));

describe.each(servicesToTry('postgres'))('%s', (service) => {
  const connection = connectionOf(service);
  let folder: string;
  let archive: string;
  let script: Buffer;
  const restored = (...options: readonly string[]): string =>
    run(connection, 'pg_restore', ...options, archive).toString('utf8');

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bkp-test-'));
    archive = join(folder, 'archive');
    dropDatabase(connection, DATABASE);
    createDatabase(connection, DATABASE);
    psql(connection, DATABASE, ODD_DATABASE + MORE);
    script = run(connection, 'pg_dump', '--format=plain', '--verbose', '-d', DATABASE);
    run(connection, 'pg_dump', '--format=custom', '-f', archive, '-d', DATABASE);
  });
  afterAll(() => {
    dropDatabase(connection, DATABASE);
    rmSync(folder, { recursive: true, force: true });
  });

  test.each([1, 7, 4096, 65_536])('leaves a script as it is, in pieces of %i bytes', (pieceBytes) => {
    const [kept, whole] = [filtered(script, choiceOf([]), pieceBytes), script.toString('utf8')];
    const lines = whole.split('\n').filter((line) => line !== 'BEGIN;' && line !== 'COMMIT;');
    expect(whole.length - kept.length).toBe('BEGIN;\nCOMMIT;\n'.length);
    expect(kept === lines.join('\n')).toBe(true);
  });

  test.each(['--schema-only', '--data-only', '--no-owner'])('does what pg_restore does with %s', (option) => {
    const expected = statements(restored(option, '--file=-')).filter((line) => !/^(?:BEGIN|COMMIT);$/.test(line));
    // Without owners pg_restore shows none in its comments.
    const shown = (lines: readonly string[]): readonly string[] =>
      lines.map((line) => (option === '--no-owner' ? line.replace(/; Owner: .*/, '; Owner: -') : line));
    for (const pieceBytes of [13, 65_536])
      expect(shown(statements(filtered(script, choiceOf([option]), pieceBytes)))).toEqual(shown(expected));
  });

  test('lists what pg_restore lists, and takes such a list', () => {
    const lines: string[] = [];
    filtered(script, { section: (section) => lines.push(listLine(section)) > 0, statement: () => true });
    const listed = restored('--list')
      .split('\n')
      .filter((line) => /^\d+; /.test(line));
    const inScript = listed.filter(
      (line) => !/ (?:ENCODING|STDSTRINGS|SEARCHPATH) - /.test(line) && !/ DATABASE - /.test(line),
    );
    // Numbers differ between two dumps, and blobs are named in other words.
    const names = (all: readonly string[]): readonly string[] =>
      all.map((line) => line.replace(/^\d+; /, '').trimEnd()).toSorted();
    expect(names(lines)).toEqual(names(inScript));

    const wanted = lines.filter((line) => line.includes(' texts '));
    expect(wanted.length).toBeGreaterThan(2);
    const path = join(folder, 'list');
    writeFileSync(path, [';; a comment', ...wanted].join('\n'));
    const kept = filtered(script, choiceOf([`--use-list=${path}`, '--file=-']));
    expect(kept).toContain('CREATE TABLE public.texts (');
    expect(kept).toContain('\nCOPY public.texts (a) FROM stdin;\n');
    expect(kept).not.toContain('public.dots');
    expect(kept).toContain('SET client_encoding');
    expect(kept).toMatch(/-- PostgreSQL database dump complete/);
  });

  test('refuses what no script can do', () => {
    expect(() => choiceOf(['--clean'])).toThrow(
      /^cannot read the script with --clean: only archives can be read that way$/,
    );
  });
});
