import { integrityError } from '../../errors.ts';
import type { Facts } from '../engine.ts';
import type { ArchiveTraits } from './survey-archive.ts';
import type { TarProgram } from './tar-program.ts';
import type { TreeCount, TreeFacts } from './tree-counter.ts';
import { DIGEST_PARTS, type DigestPart } from './tree-digest.ts';

export interface Comparison {
  /** Every part is the same. */
  readonly isExact: boolean;
  /** What this user, file system or tar could not keep. */
  readonly warnings: readonly string[];
}

export interface ComparisonLimits {
  readonly asRoot: boolean;
  readonly tar: TarProgram;
  readonly traits: ArchiveTraits;
}

const NOT_KEPT: Readonly<Record<DigestPart, string>> = {
  content: 'names, permissions or contents',
  owners: 'owners',
  times: 'times',
  attributes: 'extended attributes or ACLs',
  privileged: 'attributes that only root may set',
};

/**
 * Compares what was written with the archive. What nobody asked to lose throws `integrity`; what this user or this file
 * system cannot keep becomes a warning.
 */
export function compareTrees(expected: TreeCount, found: TreeCount, limits: ComparisonLimits): Comparison {
  const differing = DIGEST_PARTS.filter((part) => expected.parts[part] !== found.parts[part]);
  const forgiven = differing.filter((part) => isForgiven(part, limits));
  const lost = differing.filter((part) => !forgiven.includes(part));
  if (lost.length > 0) {
    const what = lost.map((part) => NOT_KEPT[part]).join('; ');
    throw integrityError(`cannot restore: what was written is not what the archive holds: ${what} differ`, {
      hint: 'the destination is as it was; does its file system keep modes, owners, attributes and ACLs?',
    });
  }
  return { isExact: differing.length === 0, warnings: forgiven.map((part) => warningOf(part, limits)) };
}

function isForgiven(part: DigestPart, { asRoot, tar, traits }: ComparisonLimits): boolean {
  if (part === 'owners') return !asRoot;
  if (part === 'attributes') return tar.flavour === 'bsd' || traits.textAcls;
  return part === 'times' || part === 'privileged';
}

function warningOf(part: DigestPart, { asRoot }: ComparisonLimits): string {
  if (part === 'owners') return 'owners could not be kept: only root can give files away; they belong to this user now';
  if (part === 'privileged' && !asRoot) return 'attributes that only root may set were left out';
  return `${NOT_KEPT[part]} could not be kept exactly here`;
}

/** Throws `integrity` unless an archive has the facts that the manifest gives it. */
export function compareWithManifest(expected: Facts | null, found: TreeFacts): void {
  if (expected === null) return;
  for (const [key, value] of Object.entries(found)) {
    const wanted = expected[key];
    if (wanted === undefined || wanted === value) continue;
    // A digest that another version computed in another way cannot be compared.
    if (key === 'digest' && !JSON.stringify(wanted).startsWith('"tree1:')) continue;
    throw integrityError(
      `cannot restore: the archive is not what the manifest describes: ${key} ${value}, not ${JSON.stringify(wanted)}`,
      { hint: 'use another copy of this snapshot' },
    );
  }
}
