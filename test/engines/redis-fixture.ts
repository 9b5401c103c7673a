import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { TargetOf } from '../../src/engines/engine.ts';
import { redis } from '../../src/engines/redis.ts';
import { connectionOf } from '../services/connection.ts';
import { type RedisServer, startRedis } from '../services/redis.ts';
import type { EngineFixture } from './fixture.ts';
import { ask, askText } from './redis/ask.ts';
import { digestOf, LARGE, SMALL } from './redis/contents.ts';

const servers = new Map<number, RedisServer>();

/** A server for one test. */
export function targetOn(service: string, settings: readonly string[] = []): TargetOf<'redis'> {
  const server = startRedis(connectionOf(service)['program'] ?? '', settings);
  servers.set(server.port, server);
  onTestFinished(async () => {
    servers.delete(server.port);
    await server.stop();
  });
  const { port, password } = server;
  return { type: 'redis', host: '127.0.0.1', port, password };
}

/** The server that a test started for a target. */
export function serverOf({ port = 0 }: TargetOf<'redis'>): RedisServer {
  const found = servers.get(port);
  if (found === undefined) throw new Error(`no server on port ${port}`);
  return found;
}

/** Where the programs of a service are found by the names that Redis gave them. */
function pathOf(service: string): string {
  const program = connectionOf(service)['program'] ?? '';
  const path = process.env['PATH'] ?? '';
  if (basename(program) === 'redis-server') return path;
  const folder = mkdtempSync(join(tmpdir(), 'bkp-redis-names-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of ['cli', 'server']) {
    const script = `#!/bin/sh\nexec '${dirname(program)}/valkey-${name}' "$@"\n`;
    writeFileSync(join(folder, `redis-${name}`), script, { mode: 0o755 });
  }
  return `${folder}:${path}`;
}

/** Redis or Valkey as one of the services has it. */
export const fixtureOn = (service: string): EngineFixture<'redis'> => ({
  name: service,
  engine: redis,
  isPersistent: true,
  producer: null,
  consumer: null,
  query: null,

  async make(_folder, content) {
    const target = targetOn(service);
    if (content !== 'empty') await ask(target, ...(content === 'large' ? LARGE : SMALL));
    return target;
  },

  elsewhere: () => targetOn(service),

  digest: digestOf,

  async alter(target) {
    await ask(
      target,
      ['DEL', 'event:13', 'large hash'],
      ['SET', 'own', 'added'],
      ['HSET', 'issues', 'first', 'changed'],
    );
  },

  async partsOf(target) {
    const [taken, added] = await ask(target, ['EXISTS', 'event:13', 'large hash'], ['EXISTS', 'own']);
    return { taken: taken === 2, added: added === 1 };
  },

  destroy: async (target) => void (await ask(target, ['FLUSHALL'], ['FUNCTION', 'FLUSH'])),

  stop: (target) => serverOf(target).stop(),

  forbid: async (target) => void (await askText(target, 'ACL', 'SETUSER', 'default', '-psync')),

  handEnvironment: ({ password = '' }) => ({ REDISCLI_AUTH: password, PATH: pathOf(service) }),

  // Before the end mark and the checksum.
  recordBoundary: (raw) => raw.length - 9,
});

export const redisFixture: EngineFixture<'redis'> = fixtureOn('redis-7.0');
