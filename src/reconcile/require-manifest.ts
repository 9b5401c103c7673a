import type { Context } from '../context.ts';
import { guardError, integrityError, notFoundError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import type { MarkRecord } from '../snapshots/inventory.ts';
import type { SnapshotName } from '../snapshots/keys.ts';
import type { Manifest } from '../snapshots/manifest.ts';
import { withReplacements } from '../snapshots/replacements.ts';
import { readManifest, readSnapshot } from '../snapshots/read-snapshot.ts';

/** A snapshot with what is known of it: where its artifacts are now stands in marks. */
export interface MarkedSnapshot extends SnapshotName {
  readonly marks: readonly MarkRecord[];
}

/** The manifest of a snapshot that must be there and usable, with its artifacts where they are now. */
export async function requireManifest(
  repository: Repository,
  { backup, id, marks }: MarkedSnapshot,
): Promise<Manifest> {
  const found = await readManifest(repository, { backup, id });
  if (found === undefined) throw notFoundError(`cannot read ${backup}@${id}: it is not in ${repository.location}`);
  if (!found.ok) throw integrityError(`cannot read ${backup}@${id} in ${repository.location}: ${found.message}`);
  return withReplacements(found.value, marks);
}

/** Why a manifest, as it is now, does not count where the policy asks for signatures; null where it does or is not there. */
export async function unsignedNow(
  repository: Repository,
  name: SnapshotName,
  context: Pick<Context, 'signing'>,
): Promise<string | null> {
  const found = context.signing === undefined ? undefined : await readSnapshot(repository, name, context);
  return found?.ok === true ? (found.value.record.unsigned ?? null) : null;
}

/** The manifest of a snapshot that must be there, be usable and count: where the policy asks for signatures, its very bytes are signed. Throws `guard` else. */
export async function requireSigned(
  repository: Repository,
  name: MarkedSnapshot,
  context: Pick<Context, 'signing'>,
): Promise<Manifest> {
  const found = context.signing === undefined ? undefined : await readSnapshot(repository, name, context);
  // What else is wrong is told in the same words everywhere.
  if (found?.ok !== true) return requireManifest(repository, name);
  const { manifest, record } = found.value;
  if (record.unsigned === undefined) return withReplacements(manifest, record.marks);
  throw guardError(`cannot trust ${name.backup}@${name.id} in ${repository.location}: ${record.unsigned}`, {
    hint: `\`bkp sign ${name.backup}@${name.id}\` adopts what you know to be yours; \`bkp restore --accept-unsigned\` restores it all the same`,
  });
}
