import { formatBytes } from '../format-bytes.ts';
import { formatDuration, formatInstant } from '../reconcile/phrases.ts';
import type { SnapshotStanding } from '../reconcile/snapshot-standing.ts';
import type { Manifest, ManifestTarget } from '../snapshots/manifest.ts';
import { formatTable } from './table.ts';
import type { Paint } from './terminal.ts';

/** A snapshot for people: what it is, where it is, what each target left and how to restore it without bkp. */
export function formatSnapshot(manifest: Manifest, standings: readonly SnapshotStanding[], paint: Paint): string {
  const { encryption } = manifest;
  const took = Date.parse(manifest.finishedAt) - Date.parse(manifest.startedAt);
  const head = [
    ['status', `${manifest.status}${manifest.kind === 'backup' ? '' : `, ${manifest.kind}`}`],
    ['taken', `${formatInstant(manifest.startedAt)}${took < 1_000 ? '' : `, in ${formatDuration(took)}`}`],
    ...(manifest.tick === null ? [] : [['for', `tick ${formatInstant(manifest.tick)}`]]),
    ['policy', manifest.policy],
    ['by', `bkp ${manifest.tool.bkp}`],
    ...(manifest.signature === undefined ? [] : [['signed with', manifest.signature.publicKey]]),
    ...(encryption?.recipients ?? []).map((recipient, index) => [index === 0 ? 'encrypted to' : '', recipient]),
    ...(encryption?.manifest === 'sealed'
      ? [['', paint('dim', 'facts and warnings too: --identity FILE shows them')]]
      : []),
    ...standings.flatMap((standing, index) => [
      [index === 0 ? 'stored in' : '', describeStanding(standing, paint)],
      ['', paint('dim', standing.folder)],
    ]),
  ];
  const targets = Object.entries(manifest.targets).map(([name, target]) => formatTarget(name, target, paint));
  return `${paint('bold', `${manifest.backup}@${manifest.id}`)}\n${indent(formatTable(head))}\n${targets.join('\n')}`;
}

function describeStanding({ repository, isDamaged, unsigned, marks }: SnapshotStanding, paint: Paint): string {
  const found = unsigned === null ? paint('green', 'good') : paint('red', `UNSIGNED (${unsigned})`);
  const state = isDamaged ? paint('red', 'DAMAGED') : found;
  return `${repository}: ${state}${marks === '' ? '' : `, ${marks}`}`;
}

function formatTarget(name: string, target: ManifestTarget, paint: Paint): string {
  const isCaptured = target.status === 'captured';
  const state = isCaptured ? paint('green', 'captured') : paint('red', `failed: ${target.error ?? ''}`);
  const rows = [
    ...target.artifacts.map((artifact) => [
      'artifact',
      `${artifact.key}  ${artifact.rawBytes === null ? '' : `${formatBytes(artifact.rawBytes)}, `}stored ${formatBytes(artifact.storedBytes)}`,
    ]),
    ...target.artifacts.flatMap(({ folder }) =>
      folder === undefined
        ? []
        : [['', `${folder.key}  ${folder.files.toLocaleString('en')} files, ${formatBytes(folder.bytes)}`]],
    ),
    ...(target.references ?? []).map(({ name, store }) => ['reference', `${name}, with the server (${store})`]),
    ...factRows(target.facts).map(([fact, value]) => [fact, String(value)]),
    ...target.checks.map((check) => [
      'check',
      `${check.check} ${check.expect}: ${JSON.stringify(check.value)} ${check.ok ? paint('green', 'ok') : paint('red', 'failed')}`,
    ]),
    ...target.warnings.map((warning) => [paint('yellow', 'warning'), warning]),
    ...target.restore.map((command) => ['by hand', command]),
  ];
  return `${paint('bold', name)}  ${target.type}  ${state}\n${indent(formatTable(rows))}`;
}

export type FactValue = string | number | boolean | null;

/** Nested facts as dotted paths, one row each. */
export function factRows(facts: unknown, path = ''): readonly (readonly [string, FactValue])[] {
  if (facts === null || typeof facts !== 'object') return [[path, asFactValue(facts)]];
  return Object.entries(facts).flatMap(([key, value]) => factRows(value, path === '' ? key : `${path}.${key}`));
}

const asFactValue = (value: unknown): FactValue =>
  typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string' || value === null
    ? value
    : JSON.stringify(value);

const indent = (text: string): string => text.replaceAll(/^(?=.)/gm, '  ');
