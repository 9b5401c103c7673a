// Puts what a catalog needs of every manifest into plain columns of a SQLite table.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const [root, into] = process.argv.slice(2);
const database = new DatabaseSync(into);
database.exec(`CREATE TABLE snapshots (source TEXT, time TEXT, id TEXT, bytes INTEGER, class TEXT, verified TEXT);
  CREATE INDEX by_time ON snapshots (source, time); BEGIN`);
const insert = database.prepare('INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?)');
for (const backup of readdirSync(root)) {
  for (const file of readdirSync(join(root, backup))) {
    const manifest = JSON.parse(readFileSync(join(root, backup, file), 'utf8'));
    const bytes = Object.values(manifest.targets).reduce((sum, { artifacts }) => sum + artifacts[0].storedBytes, 0);
    insert.run(backup, manifest.startedAt, manifest.id, bytes, manifest.kind, null);
  }
}
database.exec('COMMIT');
database.close();
