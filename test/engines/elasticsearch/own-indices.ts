import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Context } from '../../../src/context.ts';
import type { RestoreMode, RestoreOutcome, TargetOf } from '../../../src/engines/engine.ts';
import type { Repository } from '../../../src/repositories/repository.ts';
import { connectionOf } from '../../services/connection.ts';
import { testContext } from '../../test-context.ts';
import { elasticsearchFixture } from '../elasticsearch-fixture.ts';
import { newRepository, restore, take, type Taken } from '../workbench.ts';
import { ask, deleteIndices } from './ask.ts';

export type Target = TargetOf<'elasticsearch'>;

/** Indices of one test on one server, with what captures and restores them. */
export interface OwnIndices {
  readonly url: string;
  /** What every name begins with. */
  readonly prefix: string;
  readonly target: Target;
  readonly context: Context;
  readonly take: (change?: Partial<Target>) => Promise<Taken>;
  readonly restore: (taken: Taken, mode: RestoreMode, change?: Partial<Target>) => Promise<RestoreOutcome>;
  /** Documents of an index as the server gives them, sources as bytes, in order. */
  readonly documents: (index: string) => Promise<readonly string[]>;
}

export const ownIndices = (service: string): Promise<OwnIndices> => ownIndicesAt(connectionOf(service)['url'] ?? '');

/** The same on a server that is reached there. */
export async function ownIndicesAt(url: string): Promise<OwnIndices> {
  const { context, folder } = await testContext();
  const prefix = `o${createHash('sha256').update(folder).digest('hex').slice(0, 10)}-`;
  onTestFinished(() => deleteIndices(url, prefix));
  onTestFinished(() => deleteIndices(url, `new${prefix}`));
  const target: Target = { type: 'elasticsearch', url, indices: [`${prefix}*`], globals: false };
  let captures = 0;
  const repository = async (): Promise<Repository> => {
    const place = join(folder, `${(captures += 1)}`);
    await mkdir(place);
    return newRepository(place, context);
  };
  return {
    url,
    prefix,
    target,
    context,
    take: async (change) => take(elasticsearchFixture, { ...target, ...change }, await repository(), context),
    restore: (taken, mode, change) => restore(elasticsearchFixture, taken, { ...target, ...change }, mode, context),
    async documents(index) {
      await ask(url, 'POST', `${index}/_refresh`);
      const found = await ask(url, 'GET', `${index}/_search?size=1000&version=true`);
      return found
        .split('{"_index":')
        .slice(1)
        .map((hit) => hit.replace(/^"[^"]*",/, '').replace(/,?(?:\]\}\})?$/, ''))
        .toSorted();
    },
  };
}
