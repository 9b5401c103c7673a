import type { ManifestRecord } from './manifest-codec.ts';

/** A manifest as it was read once. */
export interface CachedManifest {
  /** The object's version when it was read. */
  readonly version: string;
  /** Beginning of the SHA-256 of its bytes: a manifest that changed is drift. */
  readonly digest: string;
  readonly record: ManifestRecord;
}

/** Cached manifests of one backup as rows: a third of the bytes and of the time that objects take. */
export interface PackedManifests {
  readonly policies: readonly string[];
  readonly definitions: readonly string[];
  readonly targets: readonly ManifestRecord['targets'][];
  readonly recipients: readonly (readonly string[])[];
  readonly signers: readonly string[];
  readonly rows: readonly Row[];
}

type Row = readonly [
  id: string,
  version: string,
  digest: string,
  policy: number,
  kind: ManifestRecord['kind'],
  status: ManifestRecord['status'],
  tick: string | null,
  startedAt: string,
  finishedAt: string,
  definition: number,
  targets: number,
  protect: boolean,
  sizeBytes: number,
  storedBytes: number,
  /** -1 where everybody can read it. */
  recipients: number,
  /** -1 where it has no signature, -2 where its signature is wrong. */
  signer: number,
  lockedUntil: string | null,
  /** Missing in rows of before there were any. */
  references?: ManifestRecord['references'] | null,
  listsFiles?: boolean,
];

const UNSIGNED = -1;
const WRONG = -2;

/** Packs manifests; what repeats is stored once. */
export function packManifests(manifests: ReadonlyMap<string, CachedManifest>): PackedManifests {
  const policies = new Table<string>();
  const definitions = new Table<string>();
  const targets = new Table<ManifestRecord['targets']>();
  const recipients = new Table<readonly string[]>();
  const signers = new Table<string>();
  const rows = Array.from(manifests, ([id, { version, digest, record }]): Row => [
    id,
    version,
    digest,
    policies.indexOf(record.policy, record.policy),
    record.kind,
    record.status,
    record.tick,
    record.startedAt,
    record.finishedAt,
    definitions.indexOf(record.definitionSha256, record.definitionSha256),
    targets.indexOf(JSON.stringify(record.targets), record.targets),
    record.protect,
    record.sizeBytes,
    record.storedBytes,
    record.recipients === undefined ? -1 : recipients.indexOf(record.recipients.join('\n'), record.recipients),
    typeof record.signedBy === 'string'
      ? signers.indexOf(record.signedBy, record.signedBy)
      : record.signedBy === undefined
        ? UNSIGNED
        : WRONG,
    record.lockedUntil ?? null,
    record.references ?? null,
    record.listsFiles ?? false,
  ]);
  return {
    policies: policies.values,
    definitions: definitions.values,
    targets: targets.values,
    recipients: recipients.values,
    signers: signers.values,
    rows,
  };
}

/** Unpacks manifests; throws when the rows do not fit. */
export function unpackManifests(backup: string, packed: PackedManifests): ReadonlyMap<string, CachedManifest> {
  const { policies, definitions, targets, recipients, signers } = packed;
  const manifests = new Map<string, CachedManifest>();
  for (const row of packed.rows) {
    const [id, version, digest, policy, kind, status, tick, startedAt, finishedAt] = row;
    const [definition, target, protect, sizeBytes, storedBytes, keys, signer, lockedUntil, references, listsFiles] =
      row.slice(9) as [
        number,
        number,
        boolean,
        number,
        number,
        number,
        number,
        string | null,
        ManifestRecord['references'] | null | undefined,
        boolean | undefined,
      ];
    manifests.set(id, {
      version,
      digest,
      record: {
        backup,
        id,
        policy: at(policies, policy),
        kind,
        status,
        tick,
        startedAt,
        finishedAt,
        definitionSha256: at(definitions, definition),
        targets: at(targets, target),
        protect,
        sizeBytes,
        storedBytes,
        ...(lockedUntil === null ? {} : { lockedUntil }),
        ...(keys === -1 ? {} : { recipients: at(recipients, keys) }),
        ...(references === undefined || references === null ? {} : { references }),
        ...(listsFiles === true ? { listsFiles } : {}),
        ...(signer === UNSIGNED ? {} : { signedBy: signer === WRONG ? null : at(signers, signer) }),
      },
    });
  }
  return manifests;
}

function at<T>(table: readonly T[], index: number): T {
  const value = table[index];
  if (value === undefined) throw new Error('the catalog does not fit itself');
  return value;
}

class Table<T> {
  readonly values: T[] = [];
  readonly #indexes = new Map<string, number>();

  indexOf(key: string, value: T): number {
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    this.#indexes.set(key, this.values.length);
    return this.values.push(value) - 1;
  }
}
