import type { Diagnostic } from '../../errors.ts';
import { TARGET_FACTS } from '../../generated/schema-facts.ts';
import { diagnose } from '../diagnose.ts';
import { policyData, recordOf, type PolicySet } from '../policy-set.ts';

/** What is defined is used, and settings fit each other. */
export function checkUsage(set: PolicySet): readonly Diagnostic[] {
  return [
    ...(set.complete ? [...unusedTargets(set), ...unusedRepositories(set)] : []),
    ...levels(set),
    ...jobs(set),
    ...restoreOnly(set),
  ];
}

function unusedTargets(set: PolicySet): readonly Diagnostic[] {
  const used = new Set(set.backups.flatMap(({ value }) => value.targets));
  return set.targets
    .filter(({ name }) => !used.has(name))
    .map(({ name, document, path }) =>
      diagnose(
        'BKP2040',
        { document, path, part: 'key' },
        `target "${name}" is in no backup: it is never captured`,
        'add it to `targets` of a backup, or remove it',
      ),
    );
}

function unusedRepositories(set: PolicySet): readonly Diagnostic[] {
  const used = new Set(set.backups.flatMap(({ value }) => value.repositories ?? []));
  return set.repositories
    .filter(({ name }) => !used.has(name))
    .map(({ name, document, path }) =>
      diagnose(
        'BKP2041',
        { document, path, part: 'key' },
        `no backup uses repository "${name}"`,
        'add it to `repositories` of a backup or of `defaults`, or remove it',
      ),
    );
}

const HIGHEST_GZIP_LEVEL = 9;

function levels(set: PolicySet): readonly Diagnostic[] {
  const places = [
    ...set.documents.map((document) => ({
      document,
      path: ['defaults'],
      inherited: undefined,
      value: recordOf(policyData(document).defaults),
    })),
    ...set.targets.map(({ document, path, value }) => ({
      document,
      path,
      inherited: recordOf(policyData(document).defaults)['compression'],
      value: recordOf(value),
    })),
  ];
  return places.flatMap(({ document, path, value, inherited }) => {
    const level = value['compressionLevel'];
    const method = value['compression'] ?? inherited;
    if (method !== 'gzip' || typeof level !== 'number' || level <= HIGHEST_GZIP_LEVEL) return [];
    const place = { document, path: [...path, 'compressionLevel'], part: 'value' } as const;
    return [diagnose('BKP2005', place, `gzip has levels 1 to ${HIGHEST_GZIP_LEVEL}, not ${level}`)];
  });
}

/** Formats that their tools write and read in one piece. */
const SERIAL: readonly unknown[] = ['tar', 'plain'];

function jobs(set: PolicySet): readonly Diagnostic[] {
  return set.targets.flatMap(({ document, path, value }) => {
    const { type, jobs: count, format, method = 'dump' } = recordOf(value);
    if (typeof count !== 'number' || count <= 1) return [];
    const place = { document, path: [...path, 'jobs'], part: 'value' } as const;
    if (type === 'mysql' && method !== 'mydumper')
      return [diagnose('BKP2006', place, `one program dumps, not ${count}`, 'several jobs need `method: mydumper`')];
    if (!SERIAL.includes(format)) return [];
    const hint = '`directory` is dumped and restored by several jobs, `custom` is restored by several';
    return [diagnose('BKP2006', place, `format ${String(format)} has one job, not ${count}`, hint)];
  });
}

function restoreOnly(set: PolicySet): readonly Diagnostic[] {
  return set.targets.flatMap(({ document, path, value }) =>
    TARGET_FACTS[value.type].restoreOnly
      .filter((key) => key in value)
      .map((key) =>
        diagnose(
          'BKP2054',
          { document, path: [...path, key], part: 'key' },
          `"${key}" says where to restore: it does not belong in a target`,
          `use \`into: { ${key}: … }\` under restores, or --into ${key}=…`,
        ),
      ),
  );
}
