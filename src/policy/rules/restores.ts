import type { Diagnostic } from '../../errors.ts';
import type { Restore, Target } from '../../generated/policy.ts';
import { TARGET_FACTS } from '../../generated/schema-facts.ts';
import { validateTarget } from '../../generated/validate-policy.js';
import { absolutePaths } from '../absolute-paths.ts';
import { diagnose } from '../diagnose.ts';
import { didYouMean } from '../did-you-mean.ts';
import { intoKeys } from '../overrides.ts';
import { isSameTarget } from '../places.ts';
import type { Entry, PolicySet } from '../policy-set.ts';
import { holdsReference } from '../reference-syntax.ts';
import { describeKind } from '../wording.ts';
import { formatComplaint } from './formats.ts';
import { unknownName } from './names.ts';

/** Restores name a snapshot that review can know, known targets, and a destination that is meant. */
export function checkRestores(set: PolicySet): readonly Diagnostic[] {
  return set.restores.flatMap((entry) => [
    ...checkFrom(entry, set),
    ...Object.keys(entry.value.targets).flatMap((target) => checkTarget(entry, target, set)),
  ]);
}

const ID = /^\d{8}T\d{6}Z-[0-9a-z]{8}$/;
const FROM_HINT = 'write backup@<id>, backup@YYYY-MM-DD, or backup@latest with repeat: true';

function checkFrom({ value, document, path }: Entry<Restore>, set: PolicySet): readonly Diagnostic[] {
  const place = { document, path: [...path, 'from'], part: 'value' } as const;
  const [backup = '', selector, ...more] = value.from.split('@');
  if (selector === undefined || more.length > 0 || backup === '') {
    return [diagnose('BKP2050', place, `"${value.from}" does not name a snapshot`, FROM_HINT)];
  }
  const unknown = unknownName(document, place.path, 'value', backup, 'backups', set);
  if (selector === 'latest') {
    if (value.repeat === true) return unknown;
    const message = '`latest` is another snapshot after every backup, so this restore would never be done';
    return [...unknown, diagnose('BKP2051', place, message, 'add repeat: true, or name an id or a day')];
  }
  if (ID.test(selector) || isDay(selector)) return unknown;
  return [...unknown, diagnose('BKP2050', place, `"${selector}" is neither a snapshot id nor a day`, FROM_HINT)];
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

function checkTarget(entry: Entry<Restore>, name: string, set: PolicySet): readonly Diagnostic[] {
  const { document, value } = entry;
  const path = [...entry.path, 'targets', name];
  const unknown = unknownName(document, path, 'key', name, 'targets', set);
  const target = set.targets.find((one) => one.name === name);
  if (unknown.length > 0 || target === undefined) return unknown;
  const source = set.backups.find((backup) => backup.name === value.from.split('@')[0]);
  const foreign =
    source === undefined || source.value.targets.includes(name)
      ? []
      : [
          diagnose(
            'BKP2055',
            { document, path, part: 'key' },
            `backup "${source.name}" does not capture "${name}" today`,
            'an old snapshot may still hold it',
          ),
        ];
  const { into = {}, mode = 'new' } = value.targets[name] ?? {};
  const problems = checkInto(entry, [...path, 'into'], target.value, into);
  if (problems.length > 0) return [...foreign, ...problems];
  const base = absolutePaths('target', target.value, target.document.directory);
  const over = absolutePaths('target', { ...into, type: base.type } as Target, document.directory);
  const destination = { ...base, ...over } as Target;
  return mode === 'replace' ? foreign : [...foreign, ...ontoProtected(entry, path, name, destination, set)];
}

function checkInto(
  { document }: Entry<Restore>,
  path: readonly (string | number)[],
  target: Target,
  into: object,
): readonly Diagnostic[] {
  const known = intoKeys(target.type);
  const strange = Object.keys(into).filter((key) => !known.includes(key));
  if (strange.length > 0) {
    return strange.map((key) => {
      const message = `a ${target.type} target cannot be restored into "${key}"${didYouMean(key, known)}`;
      return diagnose('BKP2053', { document, path: [...path, key], part: 'key' }, message, `keys: ${known.join(', ')}`);
    });
  }
  const formats = Object.entries(TARGET_FACTS[target.type].formats).flatMap(([key, format]) => {
    const text = (into as Readonly<Record<string, unknown>>)[key];
    const complaint = typeof text === 'string' && !holdsReference(text) ? formatComplaint(text, format) : undefined;
    if (complaint === undefined) return [];
    return [
      diagnose(complaint.code, { document, path: [...path, key], part: 'value' }, complaint.message, complaint.hint),
    ];
  });
  if (validateTarget({ ...target, ...into })) return formats;
  const wrong = (validateTarget.errors ?? []).filter(
    ({ keyword, data }) => keyword !== 'discriminator' && !holdsReference(data),
  );
  return [
    ...formats,
    ...wrong.map((error) => {
      const key = error.instancePath.split('/')[1];
      const at = key !== undefined && key in into ? [...path, key] : path;
      const message = `"${key ?? 'into'}" ${error.message ?? 'is not valid'}, and this is ${describeKind(error.data)}`;
      return diagnose('BKP2053', { document, path: at, part: 'value' }, message, `as in a ${target.type} target`);
    }),
  ];
}

function ontoProtected(
  { document, name: restore }: Entry<Restore>,
  path: readonly (string | number)[],
  name: string,
  destination: Target,
  set: PolicySet,
): readonly Diagnostic[] {
  const hit = set.targets.find((one) =>
    isSameTarget(absolutePaths('target', one.value, one.document.directory), destination),
  );
  if (hit === undefined) return [];
  const what = hit.name === name ? 'the target it came from' : `target "${hit.name}"`;
  const message = `restore "${restore}" writes onto ${what}, which this policy protects`;
  return [
    diagnose(
      'BKP2052',
      { document, path, part: 'key' },
      message,
      'restore somewhere else with `into`, or say mode: replace',
    ),
  ];
}
