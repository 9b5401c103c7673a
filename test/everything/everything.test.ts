import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { makePlace, withEnvironment } from '../cli/run-bkp.ts';
import { startedServices } from '../services/connection.ts';
import { elasticsearchStore } from './elasticsearch-store.ts';
import { filesStore } from './files-store.ts';
import { mongodbStore } from './mongodb-store.ts';
import { mysqlStore } from './mysql-store.ts';
import { postgresStore } from './postgres-store.ts';
import { redisStore } from './redis-store.ts';
import { s3Store } from './s3-store.ts';
import { sqliteStore } from './sqlite-store.ts';
import { type Content, type Store, textOf } from './store.ts';

/** Writes that are there before the capture begins. */
const EARLY = 50;

interface Writer {
  /** Numbers of the writes that are finished, and of those that were begun. */
  readonly finished: () => number;
  readonly begun: () => number;
  stop(): Promise<void>;
}

/** Writes, one after the other, until it is told to stop. */
function startWriter(store: Store): Writer {
  let [begun, finished, stopping] = [0, 0, false];
  const work = async (): Promise<void> => {
    while (!stopping) {
      await store.write(begun++);
      finished = begun;
      await sleep(2);
    }
  };
  const done = work();
  done.catch(() => undefined);
  return {
    finished: () => finished,
    begun: () => begun,
    async stop() {
      stopping = true;
      await done;
    },
  };
}

const policyFor = (stores: readonly Store[]): string =>
  stringify({
    version: 1,
    name: 'everything',
    repositories: { main: { type: 'directory', path: 'repository' } },
    targets: Object.fromEntries(stores.map(({ name, target }) => [name, target])),
    backups: {
      all: { targets: stores.map(({ name }) => name), repositories: ['main'], schedule: '0 0 1 1 *' },
    },
  });

test('everything is captured into one restore point while it is written to, lost, and comes back', async () => {
  const place = await makePlace();
  onTestFinished(() => place.remove());
  const stores = [
    postgresStore(),
    ...startedServices('mysql').map(mysqlStore),
    ...startedServices('mariadb').map(mysqlStore),
    mongodbStore(),
    redisStore(),
    elasticsearchStore(),
    s3Store('archive'),
    s3Store('mirror'),
    sqliteStore(place.folder),
    filesStore(place.folder),
  ];
  onTestFinished(async () => void (await Promise.all(stores.map((store) => store.close()))));
  const inPlace = withEnvironment(place, Object.assign({}, ...stores.map(({ env }) => env)));
  await writeFile(place.path('bkp.yaml'), policyFor(stores));

  for (const store of stores) await store.seed();
  const before = new Map<Store, Content>();
  for (const store of stores) before.set(store, await store.read());
  const writers = stores.map(startWriter);
  onTestFinished(async () => void (await Promise.allSettled(writers.map((writer) => writer.stop()))));
  for (const writer of writers) await expect.poll(writer.finished).toBeGreaterThan(EARLY);

  const atLeast = writers.map((writer) => writer.finished());
  await inPlace.bkp('apply --yes --init-repositories');
  const atMost = writers.map((writer) => writer.begun());
  for (const [index, writer] of writers.entries())
    await expect.poll(writer.finished).toBeGreaterThan(atMost[index] ?? 0);
  await Promise.all(writers.map((writer) => writer.stop()));

  for (const store of stores) await store.lose();
  await inPlace.bkp('restore all@latest --yes');
  for (const [index, store] of stores.entries()) {
    const { seeded, written } = await store.read();
    expect(seeded, store.name).toEqual(before.get(store)?.seeded);
    const numbers = [...written.keys()].toSorted((a, b) => a - b);
    expect(numbers.length, store.name).toBeGreaterThanOrEqual(atLeast[index] ?? 0);
    expect(numbers.at(-1), store.name).toBeLessThan(atMost[index] ?? 0);
    // What was there before the capture is there whatever the store can promise.
    const first = store.isOneMoment ? numbers.length : (atLeast[index] ?? 0);
    expect(numbers.slice(0, first), store.name).toEqual(Array.from({ length: first }, (_, n) => n));
    for (const [n, text] of written) expect(text, `${store.name} ${n}`).toBe(textOf(n));
  }
  await inPlace.bkp('verify --deep');
});
