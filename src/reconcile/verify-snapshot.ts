import { assertFactsAgree } from './join-facts.ts';
import { keepArtifactsHere, openArtifacts } from './open-artifacts.ts';
import { unsealManifest } from './seal-manifest.ts';
import type { Context } from '../context.ts';
import { engineOf } from '../engines/registry.ts';
import type { ResolvedPolicy } from '../policy/resolved-policy.ts';
import type { Repository } from '../repositories/repository.ts';
import { bytesStored, type Manifest, type ManifestTarget } from '../snapshots/manifest.ts';
import { snapshotFolder } from '../snapshots/keys.ts';
import { damageOf, verifyArtifact } from './verify-folder.ts';
import type { AskServer } from './verify-references.ts';

/** What a verification found. */
export interface Verification {
  /** Keys of artifacts that are missing or differ, with the reason. */
  readonly damaged: readonly { readonly key: string; readonly reason: string }[];
  /** Some of it has the right hashes: only another look by the engine can clear it. */
  readonly isDeep: boolean;
}

/** What a mark remembers of damage. */
export const damageData = ({ damaged, isDeep }: Verification): Readonly<Record<string, unknown>> => ({
  artifacts: [...new Set(damaged.map(({ key }) => key))],
  reason: damaged[0]?.reason ?? '',
  deep: isDeep,
});

/**
 * Hashes every stored byte of a snapshot and, when `deep`, lets the engines read every artifact whole, with the programs
 * that the policy names for its targets; what is encrypted needs an identity then. Damage is found, not thrown; a
 * repository that cannot be read is thrown, because that says nothing about the snapshot. `ask` looks for what was left
 * with servers; without it that is not looked at.
 */
export async function verifySnapshot(
  repository: Repository,
  stored: Manifest,
  folder: string,
  deep: boolean,
  { targets }: Pick<ResolvedPolicy, 'targets'>,
  context: Context,
  ask: AskServer | null = null,
): Promise<Verification> {
  const damaged: { key: string; reason: string }[] = [];
  let isDeep = false;
  let manifest = stored;
  const unsealed = await damageOf(async () => {
    if (deep) manifest = await unsealManifest(stored, context);
  });
  if (unsealed !== null) return { damaged: [{ key: 'manifest', reason: unsealed }], isDeep: true };
  for (const [name, target] of Object.entries(manifest.targets)) {
    const definition = deep ? { ...targets[name]?.config, ...target.definition } : null;
    const verify = (from: Repository): ReturnType<typeof verifyTarget> =>
      verifyTarget(name, target, { repository: from, folder, id: manifest.id }, definition, context);
    const found = deep
      ? await keepArtifactsHere(repository, folder, manifest.id, [target], context, verify)
      : await verify(repository);
    damaged.push(...found.damaged);
    isDeep ||= found.isDeep;
    const flaw = found.damaged.length > 0 ? null : await ask?.(name, target);
    if (typeof flaw !== 'string') continue;
    // What the bytes of the artifact cannot tell, no copy of them can mend.
    damaged.push(...target.artifacts.map(({ key }) => ({ key, reason: flaw })));
    isDeep = true;
  }
  return { damaged, isDeep };
}

interface Place {
  readonly repository: Repository;
  readonly folder: string;
  readonly id: string;
}

/** Deep when a definition is given: then what was hashed is read by the engine too. */
async function verifyTarget(
  name: string,
  target: ManifestTarget,
  { repository, folder, id }: Place,
  definition: Readonly<Record<string, unknown>> | null,
  context: Context,
): Promise<{ readonly damaged: Verification['damaged']; readonly isDeep: boolean }> {
  const damaged: { key: string; reason: string }[] = [];
  for (const artifact of target.artifacts) {
    const place = { repository, folder: snapshotFolder(folder, id) };
    const reason = await damageOf(() =>
      verifyArtifact(artifact, place, context, (bytes) =>
        context.emit({ type: 'progress', subject: `hashing ${name}`, bytes, totalBytes: bytesStored(artifact) }),
      ),
    );
    if (reason !== null) damaged.push({ key: artifact.key, reason });
  }
  if (definition === null || damaged.length > 0 || target.status !== 'captured') return { damaged, isDeep: false };
  const reason = await damageOf(async () => {
    const artifacts = openArtifacts(repository, folder, id, target, context);
    const { facts } = await engineOf(target.type).check(artifacts, context, definition);
    assertFactsAgree(facts, target.facts, {
      doing: `cannot trust the artifact of ${name}`,
      where: 'in the manifest',
    });
  });
  if (reason === null) return { damaged, isDeep: false };
  return { damaged: target.artifacts.map(({ key }) => ({ key, reason })), isDeep: true };
}
