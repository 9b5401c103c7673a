import type { Context } from '../../context.ts';
import { integrityError } from '../../errors.ts';
import type { CheckResult, Definition, Facts, IncomingArtifact } from '../engine.ts';
import { judge, type KnownTarget } from './judge-artifact.ts';

/** The one artifact that a program leaves. */
export function singleArtifact(artifacts: readonly IncomingArtifact[]): IncomingArtifact {
  const [artifact] = artifacts;
  if (artifact === undefined || artifacts.length > 1 || artifact.format !== 'command')
    throw integrityError('cannot read the snapshot: it does not hold exactly one artifact of a program');
  return artifact;
}

/** Asks the programs of the target, as far as they are known, what they think of a stored artifact. */
export async function checkCommand(
  artifacts: readonly IncomingArtifact[],
  definition: Definition,
  context: Context,
): Promise<CheckResult> {
  let facts: Facts = {};
  await singleArtifact(artifacts).into({
    kind: 'reader',
    read: async (raw) => {
      facts = await judge(raw, definition as KnownTarget, context);
    },
  });
  return { facts };
}
