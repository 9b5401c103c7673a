import { BkpError } from '../errors.ts';
import type { Target } from '../generated/policy.ts';
import type { Engine } from './engine.ts';
import { command } from './command.ts';
import { elasticsearch } from './elasticsearch.ts';
import { files } from './files/files.ts';
import { mysql } from './mysql.ts';
import { mongodb } from './mongodb.ts';
import { postgres } from './postgres.ts';
import { s3 } from './s3.ts';
import { redis } from './redis.ts';
import { sqlite } from './sqlite.ts';

type Engines = { readonly [K in Target['type']]: Engine<K> };

/** Every engine, by the `type` of a target. */
export const ENGINES: Engines = { command, elasticsearch, files, mongodb, mysql, postgres, redis, s3, sqlite };

/** The engine of a target's type. An unknown one stands in what a newer bkp wrote: a `usage` error. */
export function engineOf(type: string): Engine {
  // The registry is keyed by the schema's own types, so that what an engine gets is of its type.
  if (Object.hasOwn(ENGINES, type)) return ENGINES[type as Target['type']] as unknown as Engine;
  throw new BkpError('usage', `cannot handle a ${type} target: this bkp has no such engine`, {
    hint: 'upgrade bkp on this machine',
  });
}
