// Reads a catalog of plain columns, ordered by source and time: the least a warm plan can do.
import { DatabaseSync } from 'node:sqlite';

const [path] = process.argv.slice(2);
const database = new DatabaseSync(path, { readOnly: true });
let bytes = 0;
for (const row of database.prepare('SELECT * FROM snapshots ORDER BY source, time').iterate()) bytes += row.bytes;
if (!(bytes > 0)) process.exit(1);
