import { Binary, type Collection, Decimal128, Long, MongoClient } from 'mongodb';
import { inDatabase } from '../engines/mongodb/client.ts';
import { connectionOf, startedServices } from '../services/connection.ts';
import { type Store, textOf } from './store.ts';

const DATABASE = 'everything';

interface Written {
  readonly _id: number;
  readonly text: string;
}

export function mongodbStore(): Store {
  const server = connectionOf(startedServices('ferretdb')[0] ?? '');
  const { host = '', port = '', user = '', password = '', tools = '' } = server;
  const client = new MongoClient(`mongodb://${user}:${password}@${host}:${port}/`);
  const written = (): Collection<Written> => client.db(DATABASE).collection<Written>('written');
  return {
    name: 'mongodb',
    target: {
      type: 'mongodb',
      host,
      port: Number(port),
      user,
      password: '${env:EVERYTHING_MONGO}',
      database: DATABASE,
      tools,
    },
    env: { EVERYTHING_MONGO: password },
    // One database is read while it is written to: a server that is alone has no oplog.
    isOneMoment: false,

    async seed() {
      await client.db(DATABASE).dropDatabase();
      const kinds = client.db(DATABASE).collection('kinds');
      await kinds.insertMany([
        { whole: Long.fromString('9007199254740993'), exact: Decimal128.fromString('1E-6000'), part: Number.NaN },
        { name: 'ünï¢öde\0', bytes: new Binary(Buffer.from([0, 255, 10, 39])), at: new Date(0), nothing: null },
        { deep: { er: [1, { a: [] }] }, pattern: /a.b/i },
      ]);
      await kinds.createIndex({ name: 1 }, { name: 'by-name', sparse: true });
    },
    async write(n) {
      await written().insertOne({ _id: n, text: textOf(n) });
    },
    async read() {
      const all = await written().find().toArray();
      const digest = await inDatabase(server, DATABASE, async (database) => {
        const kinds = await database.collection('kinds').find({}, { raw: true }).toArray();
        const indexes = await database.collection('kinds').listIndexes().toArray();
        return [
          ...kinds.map((raw) => (raw as unknown as Buffer).toString('hex')).toSorted(),
          ...indexes.map((index) => JSON.stringify(index)).toSorted(),
        ];
      });
      return { seeded: digest, written: new Map(all.map(({ _id, text }) => [Number(_id), text])) };
    },
    lose: async () => void (await client.db(DATABASE).dropDatabase()),
    close: () => client.close(),
  };
}
