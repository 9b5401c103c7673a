/** The statements of a section without the comments with which pg_restore introduces them and ends a script. */
export const bareStatements = (sql: string): string =>
  sql.replace(/^(?:\s*--[^\n]*\n)+/, '').replace(/(?:\s*\n--[^\n]*)+\s*$/, '\n');

/** Settings for all objects that follow stand at the end of a section: tablespace and access method of tables. */
const SETTING = /\nSET (default_\w+) = [^\n]*;\s*$/;

/** Follows such settings from section to section, so that one may run without those before it. */
export function openSettings(): (sql: string) => string {
  const settings = new Map<string, string>();
  return (sql) => {
    const before = [...settings.values()].join('');
    let rest = sql;
    const changed: (readonly [string, string])[] = [];
    for (let found = SETTING.exec(rest); found !== null; found = SETTING.exec(rest)) {
      changed.unshift([found[1] ?? '', `${found[0].trim()}\n`]);
      rest = rest.slice(0, found.index);
    }
    for (const [name, statement] of changed) settings.set(name, statement);
    return before + rest;
  };
}
