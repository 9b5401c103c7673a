import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareEvent } from './tracker.ts';

/** Keeps adding events to the tracker, some two hundred commits a second, until it is stopped or the database is damaged. */
export async function writeEvents(input: unknown): Promise<never> {
  const path = String(input);
  const database = new DatabaseSync(path);
  database.exec('PRAGMA busy_timeout = 5000; PRAGMA synchronous = NORMAL');
  const addEvent = prepareEvent(database);
  const newest = database.prepare('SELECT max(id) AS id FROM events').get();
  for (let id = Number(newest?.['id'] ?? 0) + 1; ; id += 1) {
    addEvent(id);
    await sleep(5);
  }
}
