// Commits 200 small transactions a second into a database until it is told to stop, then prints how long each took in ms.
import { setTimeout } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';

const [path] = process.argv.slice(2);
const EVERY_MS = 5;
const database = new DatabaseSync(path);
database.exec('PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000');
const insert = database.prepare('INSERT INTO live (at, body) VALUES (?, ?)');
const took = [];
let stopped = false;
process.once('SIGTERM', () => (stopped = true));
process.stdout.write('writing\n');
for (let due = performance.now(); !stopped; due += EVERY_MS) {
  await setTimeout(Math.max(0, due - performance.now()));
  const began = performance.now();
  insert.run(new Date().toISOString(), 'x'.repeat(200));
  took.push(performance.now() - began);
}
database.close();
process.stdout.write(`${JSON.stringify(took)}\n`);
