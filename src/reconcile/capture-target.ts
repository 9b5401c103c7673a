import type { Context } from '../context.ts';
import type { Capture, Engine, Facts, FactValue } from '../engines/engine.ts';
import type { Origin } from '../engines/references.ts';
import { uniteFacts } from '../engines/part-facts.ts';
import { integrityError, reasonOf } from '../errors.ts';
import type { Target } from '../generated/policy.ts';
import type { Check, ResolvedTarget } from '../policy/resolved-policy.ts';
import type { Repository } from '../repositories/repository.ts';
import type { CheckOutcome, ManifestTarget } from '../snapshots/manifest.ts';
import type { Beside } from './besides.ts';
import type { ArtifactPlace } from './copy-artifact.ts';
import type { WantedEncryption } from './encryption-of.ts';
import { nativeCommand } from './native-command.ts';
import { releaseOne } from './release-references.ts';
import { checkName, factAt, factText, judge } from './expectations.ts';
import { joinFacts } from './join-facts.ts';
import { type StoredCapture, storeCaptured } from './store-captured.ts';
import { totalBytes } from './total-bytes.ts';

export interface CaptureTargetInput {
  readonly target: ResolvedTarget;
  /** The target's configuration with its references resolved. */
  readonly config: Target;
  readonly engine: Engine;
  readonly checks: readonly Check[];
  /** The target as the last good snapshot has it; undefined when there is none. */
  readonly previous: ManifestTarget | undefined;
  readonly repository: Repository;
  /** Compressor threads for each artifact. */
  readonly threads: number;
  /** To whom it is encrypted; null where everybody may read it. */
  readonly encryption: WantedEncryption | null;
  /** The files that the newest snapshot in this repository has of the target; undefined without such. */
  readonly earlier: ArtifactPlace | undefined;
  /** What is left with a server carries it. */
  readonly origin: Origin;
  /** For what must be done after an abort too. */
  readonly afterwards: Context;
  /** Repositories that are given the same in the same pass. */
  readonly besides: readonly Beside[];
  /** Reserves the place of an artifact: writes its key into begin.json and returns the repository key. */
  addKey(artifactKey: string): Promise<string>;
  /** Called at every sign of progress. */
  progressed(): void;
}

/** A capture that meets files changing under it is repeated this often before its warnings stand. */
const ATTEMPTS = 2;

/** Captures one target into a repository and describes it for the manifest. Throws when it cannot be captured whole. */
export async function captureTarget(input: CaptureTargetInput, context: Context): Promise<ManifestTarget> {
  for (let attempt = 1; ; attempt += 1) {
    const { retry, captured } = await captureOnce(input, context);
    if (!retry || attempt === ATTEMPTS) return finish(input, captured, context);
    context.emit({ type: 'note', message: `${input.target.name} changed while it was read; captured once more` });
  }
}

function finish({ target }: CaptureTargetInput, captured: ManifestTarget, context: Context): ManifestTarget {
  const { raw: rawBytes, stored: storedBytes } = totalBytes(captured.artifacts);
  context.emit({
    type: 'target-finished',
    target: target.name,
    status: 'captured',
    rawBytes,
    storedBytes,
    message: null,
    hint: null,
  });
  return captured;
}

async function captureOnce(
  input: CaptureTargetInput,
  context: Context,
): Promise<{ readonly retry: boolean; readonly captured: ManifestTarget }> {
  const capture = await input.engine.capture(input.config, context, input.origin);
  const factsOfCopy = capture.facts();
  factsOfCopy.catch(() => undefined);
  try {
    const stored: StoredCapture[] = [];
    for (const [index, artifact] of capture.artifacts.entries())
      stored.push(await storeCaptured(input, artifact, index, context));
    const inArtifacts = uniteFacts(stored.map((one) => one.facts));
    const facts = joinFacts(input.target.name, inArtifacts, await factsOfCopy);
    const checks = await runChecks(input, capture, facts);
    const captured: ManifestTarget = {
      type: input.target.config.type,
      status: 'captured',
      error: null,
      pointInTime: [capture.pointInTime[0].toISOString(), capture.pointInTime[1].toISOString()],
      versions: capture.versions,
      definition: input.target.definition,
      facts,
      warnings: [...capture.warnings, ...stored.flatMap((one) => one.warnings)],
      checks,
      artifacts: stored.map((one) => one.artifact),
      ...(capture.references === undefined ? {} : { references: capture.references }),
      restore: stored.map((one) => nativeCommand(input, one.artifact)),
    };
    for (const beside of input.besides) describeBeside(input, beside, stored, captured);
    return { retry: stored.some((one) => one.retry), captured };
  } catch (error) {
    // No manifest will name it.
    for (const reference of capture.references ?? [])
      await releaseOne({ context: input.afterwards }, input.config, reference).catch((failure: unknown) =>
        context.emit({
          type: 'warning',
          message: `${reference.name} stays on the server until the next apply: ${reasonOf(failure)}`,
        }),
      );
    throw error;
  } finally {
    // What is still reading the copy must be through before it is removed.
    await factsOfCopy.catch(() => undefined);
    await capture.close();
  }
}

/** The target as it is stored beside: the same facts, other bytes. */
function describeBeside(
  input: CaptureTargetInput,
  beside: Beside,
  stored: readonly StoredCapture[],
  captured: ManifestTarget,
): void {
  const artifacts = stored.flatMap(({ beside: all }) => all.get(beside) ?? []);
  if (artifacts.length < stored.length) return;
  const restore = artifacts.map((artifact) => nativeCommand(input, artifact));
  beside.targets.set(input.target.name, { ...captured, artifacts, restore });
}

async function runChecks(
  { checks, previous, target }: CaptureTargetInput,
  capture: Capture,
  facts: Facts,
): Promise<readonly CheckOutcome[]> {
  const outcomes: CheckOutcome[] = [];
  for (const check of checks) {
    const value = 'sql' in check ? await capture.query?.(check.sql) : factAt(facts, check.facts);
    if (value === undefined) {
      throw integrityError(`cannot check ${target.name}: ${checkName(check)} gives no value`);
    }
    outcomes.push(judge(check, value, previousValue(check, previous)));
  }
  const failed = outcomes.filter((outcome) => !outcome.ok);
  if (failed.length > 0) {
    const what = failed.map((outcome) => `${outcome.check} is ${factText(outcome.value)}, expected ${outcome.expect}`);
    throw integrityError(`cannot accept the capture of ${target.name}: ${what.join('; ')}`);
  }
  return outcomes;
}

function previousValue(check: Check, previous: ManifestTarget | undefined): FactValue | undefined {
  if (previous === undefined) return undefined;
  const same = previous.checks.find((outcome) => outcome.check === checkName(check));
  return same?.value ?? ('facts' in check ? factAt(previous.facts, check.facts) : undefined);
}

/** A target that could not be captured, as the manifest tells it. */
export const failedTarget = ({ target }: Pick<CaptureTargetInput, 'target'>, error: string): ManifestTarget => ({
  type: target.config.type,
  status: 'failed',
  error,
  pointInTime: null,
  versions: { server: null, tool: null },
  definition: target.definition,
  facts: {},
  warnings: [],
  checks: [],
  artifacts: [],
  restore: [],
});
