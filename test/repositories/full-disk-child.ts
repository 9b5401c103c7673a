/** Fills a small file system: `node full-disk-child.ts ROOT BYTES`. Says what happened as one line of JSON. */
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { BkpError } from '../../src/errors.ts';
import { openDirectoryRepository } from '../../src/repositories/directory.ts';
import { systemClock } from '../../src/system/clock.ts';
import { describeHost } from '../../src/system/host.ts';

const [root = '', bytes = '0'] = process.argv.slice(2);
const repository = openDirectoryRepository({ path: root }, { clock: systemClock, host: describeHost() });
await repository.put('old/object', Buffer.from('old'));
const chunks = function* (): Generator<Buffer> {
  for (let sent = 0; sent < Number(bytes); sent += 65_536) yield randomBytes(65_536);
};
const explain = (error: unknown): unknown =>
  error instanceof BkpError ? { code: error.code, message: error.message, hint: error.hint } : String(error);
const failed = await repository.put('big/object', Readable.from(chunks())).then(() => 'stored', explain);
const created = await repository.create('big/created', Buffer.alloc(Number(bytes))).then(() => 'created', explain);
console.log(
  JSON.stringify({
    failed,
    created,
    keys: await repository.list('', 'deep'),
    old: (await repository.read('old/object')).toString(),
    temporary: readdirSync(join(root, '.tmp')),
    next: await repository.put('next', Buffer.from('x')),
  }),
);
