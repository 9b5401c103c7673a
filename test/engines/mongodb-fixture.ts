import { BSON } from 'mongodb';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { tmpdir } from 'node:os';
import { onTestFinished } from 'vitest';
import type { TargetOf } from '../../src/engines/engine.ts';
import { mongodb } from '../../src/engines/mongodb.ts';
import { connectionOf } from '../services/connection.ts';
import type { EngineFixture } from './fixture.ts';
import { digestDatabase, inDatabase, serverOn } from './mongodb/client.ts';
import { everyKind } from './mongodb/every-kind.ts';

type Target = TargetOf<'mongodb'>;

/** A name for a folder: databases of a test are told apart, and carry those of its odd characters that servers take. */
const databaseFor = (folder: string): string => {
  const unique = createHash('sha256').update(folder).digest('hex').slice(0, 12);
  return `${Array.from(basename(folder).replaceAll(/[\s/\\."$*<>:|?]/g, '_'))
    .slice(0, 20)
    .join('')}_${unique}`;
};

const inTarget = <T>(target: Target, act: Parameters<typeof inDatabase<T>>[2]): Promise<T> =>
  inDatabase(serverOn(target.port), target.database ?? '', act);

const drop = (target: Target): Promise<boolean> => inTarget(target, (database) => database.dropDatabase());

/** MongoDB's tools on the server that stands in for MongoDB. */
export const mongodbFixture: EngineFixture<'mongodb'> = {
  name: 'ferretdb-2.7.0',
  engine: mongodb,
  isPersistent: true,
  // They lie in a folder of their own, where no test can spoil them: `mongodb/programs.test.ts` brings its own.
  producer: null,
  consumer: null,
  query: null,

  async make(folder, content) {
    const server = connectionOf('ferretdb-2.7.0');
    const { host = '', tools = '' } = server;
    const database = databaseFor(folder);
    const user = `user_${database.slice(-12)}`;
    const password = randomBytes(8).toString('hex');
    const target: Target = { type: 'mongodb', host, port: Number(server['port']), user, password, database, tools };
    const roles = ['readWriteAnyDatabase', 'clusterAdmin'].map((role) => ({ role, db: 'admin' }));
    await inDatabase(server, 'admin', (admin) => admin.command({ createUser: user, pwd: password, roles }));
    onTestFinished(async () => {
      await inDatabase(server, 'admin', (admin) => admin.command({ dropUser: user }).catch(() => undefined));
      await drop(target);
    });
    await inTarget(target, async (db) => {
      await db.createCollection('settings');
      if (content === 'empty') return;
      await db.collection<{ _id: number; name: string }>('projects').insertMany([
        { _id: 1, name: 'one' },
        { _id: 2, name: 'two' },
      ]);
      await db.collection('projects').createIndex({ name: 1 }, { unique: true });
      await db.collection('odd "töble".x').insertMany([...everyKind()]);
      const bytes = content === 'large' ? 100_000 : 256;
      const events = Array.from({ length: 100 }, (_, n) => ({
        _id: new BSON.Int32(n),
        level: n % 2 === 0 ? 'error' : 'info',
        payload: randomBytes(bytes),
      }));
      for (let at = 0; at < events.length; at += 20)
        await db.collection<{ _id: BSON.Int32 }>('events').insertMany(events.slice(at, at + 20));
      await db.collection('events').createIndex({ level: 1, _id: -1 }, { name: 'by level' });
    });
    return target;
  },

  elsewhere(target, folder) {
    const destination = { ...target, database: databaseFor(folder) };
    onTestFinished(async () => void (await drop(destination)));
    return destination;
  },

  digest: (target) => inTarget(target, digestDatabase),

  async alter(target) {
    await inTarget(target, async (db) => {
      await db.collection<{ _id: number }>('events').deleteOne({ _id: 13 });
      await db.collection('odd "töble".x').drop();
      await db
        .collection<{ _id: number }>('projects')
        .updateOne({ _id: 3 }, { $set: { name: 'three' } }, { upsert: true });
    });
  },

  partsOf: (target) =>
    inTarget(target, async (db) => {
      const events = await db.collection<{ _id: number }>('events').findOne({ _id: 13 });
      const odd = await db.collection('odd "töble".x').findOne({});
      const added = await db.collection<{ _id: number }>('projects').findOne({ _id: 3 });
      return { taken: events !== null && odd !== null, added: added !== null };
    }),

  destroy: async (target) => void (await drop(target)),

  async forbid(target) {
    await inDatabase(serverOn(target.port), 'admin', (admin) => admin.command({ dropUser: target.user ?? '' }));
  },

  handEnvironment({ password = '', tools }) {
    const folder = mkdtempSync(join(tmpdir(), 'bkp-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const config = join(folder, 'mongo.yaml');
    writeFileSync(config, `password: ${password}\n`, { mode: 0o600 });
    return { MONGO_CONFIG: config, PATH: `${tools}:${process.env['PATH']}` };
  },

  // After the end of one collection, before the next.
  recordBoundary: (raw) => raw.lastIndexOf(Buffer.from([0xff, 0xff, 0xff, 0xff]), raw.length - 200) + 4,
};
