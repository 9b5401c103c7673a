import { reasonOf, BkpError } from '../../src/errors.ts';
import type { RestoreMode, TargetOf } from '../../src/engines/engine.ts';
import type { Target } from '../../src/generated/policy.ts';
import { openDirectoryRepository } from '../../src/repositories/directory.ts';
import { createContext } from '../../src/system/create-context.ts';
import type { EngineFixture } from './fixture.ts';
import { FIXTURES } from './fixtures.ts';
import { restore, type Taken, take } from './workbench.ts';

/** One capture or restore in a process of its own, which can be another user's, be limited, or be killed. */
export interface Scenario<K extends Target['type'] = Target['type']> {
  readonly type: K;
  readonly workDirParent: string;
  readonly repository: string;
  readonly target: TargetOf<K>;
  /** Null captures. */
  readonly restore: { readonly mode: RestoreMode; readonly taken: Omit<Taken, 'repository'> } | null;
}

export interface ScenarioResult {
  /** `done`, a code of `BkpError`, or `bug`. */
  readonly code: string;
  readonly message: string;
}

async function main<K extends Target['type']>(scenario: Scenario<K>): Promise<ScenarioResult> {
  const fixture: EngineFixture<K> = FIXTURES[scenario.type];
  const { context, dispose } = await createContext({ workDirParent: scenario.workDirParent });
  try {
    const repository = openDirectoryRepository({ path: scenario.repository }, context);
    if (scenario.restore === null) await take(fixture, scenario.target, repository, context);
    else {
      const { mode, taken } = scenario.restore;
      await restore(fixture, { repository, ...taken }, scenario.target, mode, context);
    }
    return { code: 'done', message: '' };
  } catch (error) {
    return { code: error instanceof BkpError ? error.code : 'bug', message: reasonOf(error) };
  } finally {
    await dispose();
  }
}

process.stdout.write(JSON.stringify(await main(JSON.parse(process.argv[2] ?? '') as Scenario)));
