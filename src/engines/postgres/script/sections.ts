/** One object of an archive, as pg_restore writes it into a script. */
export interface Section {
  readonly name: string;
  /** `TABLE`, `FK CONSTRAINT`, `ACL`. */
  readonly type: string;
  /** Empty where the object is in none. */
  readonly schema: string;
  readonly owner: string;
  readonly tablespace: string;
  /** Number in the table of contents, and those it depends on; only where pg_restore was asked to be verbose. */
  readonly id: number;
  readonly dependencies: readonly number[];
  /** Its statements. */
  readonly sql: string;
}

const ENTRY = /^-- TOC entry (\d+) /;
const DEPENDENCIES = /^-- Dependencies: ([\d ]+)$/;

/** The line of a comment that names a section: name, type, schema, owner, tablespace. */
export const SECTION_HEADER: RegExp =
  /^-- (?:Data for )?Name: (.*); Type: ([A-Z ]+); Schema: (.*?); Owner: (.*?)(?:; Tablespace: (.*))?$/;

/** Cuts a script of pg_restore into its objects, line by line. `end` hands out the last one. */
export function openSectionParser(onSection: (section: Section) => void): {
  push(line: string): void;
  end(): void;
} {
  let header: Omit<Section, 'sql'> | undefined;
  let lines: string[] = [];
  let before = '';
  let id = 0;
  let dependencies: readonly number[] = [];
  const end = (): void => {
    if (header !== undefined) onSection({ ...header, sql: lines.join('\n') });
    header = undefined;
    lines = [];
  };
  return {
    end,
    push(line) {
      const isInFrame = before === '--' || ENTRY.test(before) || DEPENDENCIES.test(before);
      const found = isInFrame ? SECTION_HEADER.exec(line) : null;
      const entry = before === '--' ? ENTRY.exec(line) : null;
      const needed = isInFrame ? DEPENDENCIES.exec(line) : null;
      before = line;
      if (entry !== null) {
        id = Number(entry[1]);
        dependencies = [];
        return;
      }
      if (needed !== null) {
        dependencies = (needed[1] ?? '').split(' ').map(Number);
        return;
      }
      if (found !== null) {
        // The frame of the comment belongs to neither.
        lines.pop();
        end();
        const [, name = '', type = '', schema = '', owner = '', tablespace = ''] = found;
        header = { name, type, schema: dash(schema), owner: dash(owner), tablespace, id, dependencies };
        return;
      }
      if (header === undefined || (lines.length === 0 && line === '--')) return;
      if (META_COMMAND.test(line)) end();
      else lines.push(line);
    },
  };
}

const dash = (text: string): string => (text === '-' ? '' : text);

/** What only psql understands; it stands between objects. */
const META_COMMAND = /^\\(?:connect|encoding|restrict|unrestrict) /;
