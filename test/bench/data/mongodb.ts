import { MongoClient } from 'mongodb';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ferretdb } from '../../services/ferretdb.ts';
import { serviceFolder } from '../../services/service.ts';

/** A private server with one database, for the cases that compare dumps. */
export interface MongoBench {
  /** Folder of MongoDB's tools. */
  readonly tools: string;
  /** A file for `--config`. */
  readonly config: string;
  /** The same for a policy. */
  readonly target: Readonly<Record<string, unknown>>;
  /** Drops what restores set aside. */
  readonly dropOld: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export const DATABASE = 'bench';
const DOCUMENTS = 400_000;
const BATCH = 10_000;

/** Documents as applications log them: about half a kilobyte each, which compresses as logs do. */
const documentOf = (n: number): object => ({
  _id: n,
  at: new Date(1_767_225_600_000 + n * 1000),
  level: ['info', 'warn', 'error'][n % 3],
  request: createHash('md5').update(String(n)).digest('hex'),
  user: n % 1000,
  path: `/api/items/${n % 5000}`,
  message: `request ${n} was answered after ${n % 977} ms by worker ${n % 16}: `.repeat(5),
});

/** Starts a server with a database of some hundred megabytes. */
export async function startMongoBench(): Promise<MongoBench> {
  const workDir = mkdtempSync(join(tmpdir(), 'bkp-bench-mongodb-'));
  chmodSync(workDir, 0o755);
  const folder = serviceFolder(ferretdb);
  await ferretdb.install(folder);
  const { connection, stop } = await ferretdb.start(folder, workDir);
  const { host = '', port = '', user = '', password = '', tools = '' } = connection;
  const uri = `mongodb://${user}:${password}@${host}:${port}/`;
  const config = join(workDir, 'config.yaml');
  writeFileSync(config, `uri: ${uri}\n`, { mode: 0o600 });
  const client = new MongoClient(uri);
  const events = client.db(DATABASE).collection<{ _id: number }>('events');
  for (let from = 0; from < DOCUMENTS; from += BATCH)
    await events.insertMany(Array.from({ length: BATCH }, (_, n) => documentOf(from + n)) as { _id: number }[]);
  return {
    tools,
    config,
    target: { type: 'mongodb', host, port: Number(port), user, password, database: DATABASE, tools },
    dropOld: async () => {
      for (const { name } of await client.db(DATABASE).listCollections({}, { nameOnly: true }).toArray())
        if (name.startsWith('bkp-old-')) await client.db(DATABASE).dropCollection(name);
    },
    stop: async () => {
      await client.close();
      await stop();
      rmSync(workDir, { recursive: true, force: true });
    },
  };
}
