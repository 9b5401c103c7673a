/** One object of an archive, as pg_restore writes it into a script. */
export interface Section {
  readonly name: string;
  /** `TABLE`, `FK CONSTRAINT`, `ACL`. */
  readonly type: string;
  /** Empty where the object is in none. */
  readonly schema: string;
  readonly owner: string;
  readonly tablespace: string;
  /** Its statements. */
  readonly sql: string;
}

const HEADER = /^-- (?:Data for )?Name: (.*); Type: ([A-Z ]+); Schema: (.*?); Owner: (.*?)(?:; Tablespace: (.*))?$/;

/** Cuts a script of pg_restore into its objects, line by line. `end` hands out the last one. */
export function openSectionParser(onSection: (section: Section) => void): {
  push(line: string): void;
  end(): void;
} {
  let header: Omit<Section, 'sql'> | undefined;
  let lines: string[] = [];
  let before = '';
  const end = (): void => {
    if (header !== undefined) onSection({ ...header, sql: lines.join('\n') });
    header = undefined;
    lines = [];
  };
  return {
    end,
    push(line) {
      const found = before === '--' ? HEADER.exec(line) : null;
      before = line;
      if (found !== null) {
        // The frame of the comment belongs to neither.
        lines.pop();
        end();
        const [, name = '', type = '', schema = '', owner = '', tablespace = ''] = found;
        header = { name, type, schema: dash(schema), owner: dash(owner), tablespace };
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
