import { factText } from '../reconcile/expectations.ts';
import type { FoundSnapshot } from '../reconcile/find-snapshot.ts';
import { formatDuration, formatInstant } from '../reconcile/phrases.ts';
import type { Manifest, ManifestTarget } from '../snapshots/manifest.ts';
import { isDamaged, protection, verifiedAt } from '../snapshots/standing.ts';
import { formatBytes } from '../format-bytes.ts';
import { formatTable } from './table.ts';
import type { Paint } from './terminal.ts';

/** A snapshot for people: what it is, where it is, what each target left and how to restore it without bkp. */
export function formatSnapshot(manifest: Manifest, found: FoundSnapshot, paint: Paint): string {
  const took = Date.parse(manifest.finishedAt) - Date.parse(manifest.startedAt);
  const head = [
    ['status', `${manifest.status}${manifest.kind === 'backup' ? '' : `, ${manifest.kind}`}`],
    ['taken', `${formatInstant(manifest.startedAt)}, in ${formatDuration(took)}`],
    ...(manifest.tick === null ? [] : [['for', `tick ${formatInstant(manifest.tick)}`]]),
    ['policy', manifest.policy],
    ['by', `bkp ${manifest.tool.bkp}`],
    ...found.places.map((place, index) => [
      index === 0 ? 'stored in' : '',
      `${place.name}  ${standingOf(place.record)}`,
    ]),
  ];
  const targets = Object.entries(manifest.targets).map(([name, target]) => formatTarget(name, target, paint));
  return `${paint('bold', `${manifest.backup}@${manifest.id}`)}\n${indent(formatTable(head))}\n${targets.join('\n')}`;
}

function standingOf(record: FoundSnapshot['places'][number]['record']): string {
  const at = verifiedAt(record);
  const guarded = protection(record);
  return [
    isDamaged(record) ? 'damaged' : 'good',
    at === null ? '' : `verified ${formatInstant(at)}`,
    guarded === null ? '' : `protected${guarded.reason === '' ? '' : ` (${guarded.reason})`}`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}

function formatTarget(name: string, target: ManifestTarget, paint: Paint): string {
  const title = `${paint('bold', name)}  ${target.type}  ${target.status === 'captured' ? paint('green', 'captured') : paint('red', `failed: ${target.error ?? ''}`)}\n`;
  const rows = [
    ...target.artifacts.map((artifact) => [
      'artifact',
      `${artifact.key}  ${artifact.rawBytes === null ? '' : `${formatBytes(artifact.rawBytes)}, `}stored ${formatBytes(artifact.storedBytes)}`,
    ]),
    ...factRows(target.facts),
    ...target.checks.map((check) => [
      'check',
      `${check.check} ${check.expect}: ${factText(check.value)} ${check.ok ? 'ok' : 'failed'}`,
    ]),
    ...target.warnings.map((warning) => ['warning', warning]),
    ...target.restore.map((command) => ['by hand', command]),
  ];
  return `${title}${indent(formatTable(rows))}`;
}

/** Nested facts as dotted paths, one row each. */
export function factRows(facts: unknown, path = ''): readonly (readonly string[])[] {
  if (facts === null || typeof facts !== 'object') return [[path === '' ? 'fact' : path, String(facts)]];
  return Object.entries(facts).flatMap(([key, value]) => factRows(value, path === '' ? key : `${path}.${key}`));
}

const indent = (text: string): string => text.replaceAll(/^(?=.)/gm, '  ');
