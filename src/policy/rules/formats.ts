import type { Diagnostic } from '../../errors.ts';
import { FORMATTED, REPOSITORY_FACTS, TARGET_FACTS, type TextFormat } from '../../generated/schema-facts.ts';
import { CRON_NICKNAMES, cronProblem } from '../cron.ts';
import { diagnose } from '../diagnose.ts';
import { didYouMean } from '../did-you-mean.ts';
import type { PolicyDocument } from '../document.ts';
import { parseDuration } from '../../duration.ts';
import { parseExpectation } from '../expectation.ts';
import type { Path } from '../locate.ts';
import type { PolicySet } from '../policy-set.ts';
import { holdsReference } from '../reference-syntax.ts';

type Complaint = {
  readonly code: 'BKP2001' | 'BKP2002' | 'BKP2003' | 'BKP2004';
  readonly message: string;
  readonly hint: string;
};

/** Durations, schedules, time zones and expectations, wherever the schema says that a text is one. */
export function checkFormats(set: PolicySet): readonly Diagnostic[] {
  const inFiles = set.documents.flatMap((document) =>
    FORMATTED.flatMap(({ path, format }) =>
      valuesAt(document.data, path.split('.'), []).flatMap((found) => judge(document, found, format)),
    ),
  );
  const inTypes = [
    ...set.targets.map((entry) => ({ ...entry, formats: TARGET_FACTS[entry.value.type].formats })),
    ...set.repositories.map((entry) => ({ ...entry, formats: REPOSITORY_FACTS[entry.value.type].formats })),
  ].flatMap(({ document, value, path, formats }) =>
    Object.entries(formats).flatMap(([key, format]) =>
      valuesAt(value, key.split('.'), path).flatMap((found) => judge(document, found, format)),
    ),
  );
  return [...inFiles, ...inTypes];
}

/** Why a text is not what its key needs; undefined when it is. */
export function formatComplaint(text: string, format: TextFormat): Complaint | undefined {
  switch (format) {
    case 'duration':
      if (parseDuration(text) !== undefined) return undefined;
      return {
        code: 'BKP2001',
        message: `"${text}" is not a duration`,
        hint: 'a whole number and one of s, m, h, d, w, for example 90s, 26h or 7d',
      };
    case 'cron': {
      const problem = cronProblem(text);
      if (problem === undefined) return undefined;
      const guess = text.startsWith('@') ? didYouMean(text, CRON_NICKNAMES) : '';
      return {
        code: 'BKP2002',
        message: `"${text}" is not a schedule: ${problem}${guess}`,
        hint: `five fields (minute hour day month weekday), ${CRON_NICKNAMES.join(', ')}, or { every: 6h }`,
      };
    }
    case 'timezone':
      if (isTimezone(text)) return undefined;
      return {
        code: 'BKP2003',
        message: `unknown time zone "${text}"${didYouMean(text, Intl.supportedValuesOf('timeZone'))}`,
        hint: 'an IANA name, for example Europe/Berlin or UTC',
      };
    case 'expectation': {
      const parsed = parseExpectation(text);
      if (typeof parsed !== 'string') return undefined;
      return {
        code: 'BKP2004',
        message: `cannot read expectation "${text}": ${parsed}`,
        hint: 'for example "> 0", "= 12" or ">= previous * 0.9"',
      };
    }
  }
}

interface Found {
  readonly path: Path;
  readonly text: string;
}

function judge(document: PolicyDocument, { path, text }: Found, format: TextFormat): readonly Diagnostic[] {
  if (holdsReference(text)) return [];
  const complaint = formatComplaint(text, format);
  return complaint === undefined
    ? []
    : [diagnose(complaint.code, { document, path, part: 'value' }, complaint.message, complaint.hint)];
}

/** Texts at a pattern of keys; `*` stands for every key or index. */
function valuesAt(value: unknown, pattern: readonly string[], path: Path): readonly Found[] {
  const [step, ...rest] = pattern;
  if (step === undefined) return typeof value === 'string' ? [{ path, text: value }] : [];
  if (Array.isArray(value))
    return step === '*' ? value.flatMap((item, index) => valuesAt(item, rest, [...path, index])) : [];
  if (typeof value !== 'object' || value === null) return [];
  const record = value as Readonly<Record<string, unknown>>;
  const keys = step === '*' ? Object.keys(record) : Object.hasOwn(record, step) ? [step] : [];
  return keys.flatMap((key) => valuesAt(record[key], rest, [...path, key]));
}

function isTimezone(text: string): boolean {
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
