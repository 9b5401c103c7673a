import type { Context } from '../../../context.ts';
import type { IncomingArtifact } from '../../engine.ts';
import { readHead } from './head.ts';
import { openSectionParser, type Section } from './sections.ts';
import { splitStatements } from './split-statements.ts';
import { type Unowned, withoutOwner } from './unowned.ts';

/** What takes the place of a whole database, in the order in which it runs. */
export interface CleanScript {
  /** Statements that drop what the archive names and nothing else. */
  readonly drops: readonly string[];
  /** Definitions that stand before the rows, and after them. */
  readonly before: readonly Section[];
  readonly after: readonly Section[];
}

/** The first entry of such a type, and all that follow it, wait for the rows. */
export const AFTER_ROWS: RegExp =
  /^(?:CONSTRAINT|CHECK CONSTRAINT|FK CONSTRAINT|INDEX|INDEX ATTACH|STATISTICS|TRIGGER|RULE|POLICY|ROW SECURITY|EVENT TRIGGER|PUBLICATION.*|MATERIALIZED VIEW DATA|DEFAULT ACL|ACL)$/;
const FIRST_ENTRY = /^-- TOC entry \d+ /;
const SETS_UP = /^(?:SET |SELECT pg_catalog\.set_config)/;

/** Reads the statements of `pg_restore --clean`, without rows and large objects. */
export async function readCleanScript(
  artifact: IncomingArtifact,
  program: string,
  context: Context,
  unowned: Unowned | null,
): Promise<CleanScript> {
  const head: string[] = [];
  const before: Section[] = [];
  const after: Section[] = [];
  const parser = openSectionParser((section) => {
    const isAfter = after.length > 0 || AFTER_ROWS.test(section.type);
    const kept = withoutOwner(section, unowned);
    if (kept !== null) (isAfter ? after : before).push(kept);
  });
  let isHead = true;
  const argv = [program, '--verbose', '--clean', '--if-exists', '--schema-only', '--no-subscriptions', '--file=-'];
  await readHead(artifact, { argv: argv as [string, ...string[]] }, context, (line) => {
    if (FIRST_ENTRY.test(line)) isHead = false;
    if (isHead) head.push(line);
    parser.push(line);
  });
  parser.end();
  const drops = splitStatements(head.join('\n')).filter((statement) => !SETS_UP.test(statement));
  return { drops, before, after };
}
