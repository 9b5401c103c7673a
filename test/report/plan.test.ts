import { describe, expect, it } from 'vitest';
import type { ResolvedBackup } from '../../src/policy/resolved-policy.ts';
import type { Plan } from '../../src/reconcile/step.ts';
import { ACTIONS } from '../../src/reconcile/step.ts';
import { formatPlanGithub } from '../../src/report/plan-github.ts';
import { formatPlanMarkdown } from '../../src/report/plan-markdown.ts';
import { formatPlanText } from '../../src/report/plan-text.ts';
import { SYMBOLS } from '../../src/report/plan-parts.ts';
import { colourPaint, plainPaint } from '../../src/report/terminal.ts';
import {
  aBackup,
  aMark,
  anInventory,
  anObservation,
  aPolicy,
  aSnapshot,
  DAY,
  keep,
  planFor,
  ready,
} from '../reconcile/builders.ts';

const NOW = '2026-11-20T06:00:00Z';
const backup: ResolvedBackup = aBackup({
  repositories: ['nas', 'far'],
  retention: keep({ daily: 2 }),
  verify: { everyMs: 7 * DAY, deepEveryMs: null },
});
const old = ['2026-11-10', '2026-11-11', '2026-11-12', '2026-11-19'].map((day) =>
  aSnapshot(`${day}T02:00:00Z`, backup, { marks: [aMark('verified', `${day}T03:00:00Z`)] }),
);
const made: Plan = planFor(
  aPolicy([backup]),
  anObservation([ready('nas', anInventory(old)), ready('far', anInventory(old))]),
  NOW,
);

describe('a plan for people', () => {
  it('aligns its columns, joins what is alike, and puts what destroys last', () => {
    expect(formatPlanText(made, plainPaint)).toMatchInlineSnapshot(`
      "bkp plan  acme   bkp.yaml (sha256 aaaaaaaa), 2026-11-20T06:00Z

      Actions:  + create   > copy   ? verify   - prune

        +   create   app@nas  db, about 1000 B
                       schedule-due: tick 2026-11-20T02:00Z has no good snapshot, 4h late; the last good one is from 2026-11-19T02:00Z  bkp.yaml:1:1
        >   copy     app@far  the new snapshot from nas, about 100 B
                       replica-missing: the new snapshot belongs into every repository of the backup  bkp.yaml:1:1
        ?   verify   app@nas  the new snapshot, about 100 B
                       verify-due: stored by this plan, not hashed since  bkp.yaml:1:1
        ?   verify   app@far  the new snapshot, about 100 B
                       verify-due: stored by this plan, not hashed since  bkp.yaml:1:1

      WARNING, destructive: 6 snapshots will be pruned

        -   prune    app@nas  3 snapshots
                       20261110T020000Z-aaaaaaaa
                       20261111T020000Z-aaaaaaaa
                       20261112T020000Z-aaaaaaaa
                       retention-exceeded: no retention rule keeps it  bkp.yaml:1:1
                       only after create app@nas, verify app@nas
        -   prune    app@far  3 snapshots
                       20261110T020000Z-aaaaaaaa
                       20261111T020000Z-aaaaaaaa
                       20261112T020000Z-aaaaaaaa
                       retention-exceeded: no retention rule keeps it  bkp.yaml:1:1
                       only after create app@nas, copy app@far, verify app@far

      Plan: 1 create, 1 copy, 2 verify, 6 prune. Reads about 1.3 KiB, writes about 200 B.
      "
    `);
  });

  it('lists what it totals', () => {
    const text = formatPlanText(made, plainPaint);
    for (const action of ACTIONS) {
      const listed = made.steps.filter((step) => step.action === action).length;
      expect(made.summary[action]).toBe(listed);
      if (listed > 0) expect(text).toContain(`${listed} ${action}`);
      expect(text.includes(`${SYMBOLS[action]} ${action}`)).toBe(listed > 0);
    }
  });

  it('says the same without colours', () => {
    // eslint-disable-next-line no-control-regex
    expect(formatPlanText(made, colourPaint).replaceAll(/\u001B\[\d+m/g, '')).toBe(formatPlanText(made, plainPaint));
    expect(new Set(Object.values(SYMBOLS)).size).toBe(ACTIONS.length);
  });

  it.each([
    ['good', {}, 'No changes. 0 snapshots kept.\n'],
    [
      'disabled',
      {
        withheld: [
          {
            action: 'create',
            address: 'a@b',
            snapshot: null,
            reason: { code: 'disabled', message: '', data: {} },
            source: null,
          },
        ],
      },
      'No changes. 0 snapshots kept. 1 withheld.\n',
    ],
    [
      'stuck',
      {
        withheld: [
          {
            action: 'create',
            address: 'a@b',
            snapshot: null,
            reason: { code: 'identity-missing', message: '', data: {} },
            source: null,
          },
        ],
      },
      'Nothing can be done now. 0 snapshots kept. 1 withheld.\n',
    ],
    [
      'unreadable',
      { errors: [{ code: 'repository-unavailable', message: 'gone', hint: null, address: 'b' }] },
      'Nothing could be planned. 0 snapshots kept.\n',
    ],
  ] as const)('ends with what an empty plan means when all is %s', (_what, parts, end) => {
    const empty: Plan = { ...made, steps: [], keep: [], withheld: [], ...parts };
    expect(formatPlanText(empty, plainPaint).endsWith(`\n${end}`)).toBe(true);
  });
});

describe('a plan as Markdown', () => {
  it('escapes what would be markup in a table', () => {
    const [first, ...rest] = made.steps;
    if (first === undefined) throw new Error('no step');
    const nasty: Plan = {
      ...made,
      steps: [{ ...first, reason: { ...first.reason, message: 'a|b\n<script>*_[x]' } }, ...rest],
    };
    expect(formatPlanMarkdown(nasty)).toContain(String.raw`a\|b \<script\>\*\_\[x\]`);
  });

  it('stays below what GitHub accepts, head and tail kept', () => {
    const notices = Array.from({ length: 2_000 }, (_, n) => ({
      code: 'drift',
      message: `drift number ${n} ${'x'.repeat(40)}`,
      hint: null,
      address: null,
    }));
    const text = formatPlanMarkdown({ ...made, warnings: notices });
    expect(text.length).toBeLessThan(65_536);
    expect(text).toMatch(/^<!-- bkp:plan policy=bkp.yaml name=acme -->\n## bkp plan \(acme\): /);
    expect(text).toContain('… cut: the whole plan has');
    expect(text.trimEnd()).toMatch(/planned 2026-11-20T06:00Z\.$/);
  });
});

describe('a plan as annotations', () => {
  it('shows ten of a kind at most and says how many more there are', () => {
    const errors = Array.from({ length: 30 }, (_, n) => ({
      code: 'drift',
      message: `problem: 100%, ${n}\nsecond line`,
      hint: null,
      address: null,
    }));
    const lines = formatPlanGithub({ ...made, errors })
      .trimEnd()
      .split('\n');
    expect(lines.filter((line) => line.startsWith('::error ')).length).toBe(9);
    expect(lines[0]).toBe('::error title=drift::problem: 100%25, 0%0Asecond line');
    expect(lines).toContain('::warning title=bkp plan::21 more');
    expect(lines.at(-1)).toMatch(/^::notice title=bkp plan acme::1 create, /);
  });
});

describe('notices that differ in their snapshot only', () => {
  const drift = (day: number): Plan['warnings'][number] => ({
    code: 'drift',
    message: `snapshot 202611${day}T020000Z-aaaaaaaa was stored in nas and is gone; nobody released it`,
    hint: 'a copy of its manifest brings it back',
    address: 'app@nas',
  });
  const other = { code: 'notice', message: 'the clock is late', hint: null, address: null };
  const noticed = { ...made, warnings: [drift(10), other, drift(11), drift(12), { ...drift(13), address: 'b@nas' }] };

  it('are told once, with the ids of the others', () => {
    const text = formatPlanText(noticed, plainPaint);
    expect(text.split('\n').slice(2, 9)).toEqual([
      `Warning: ${drift(10).message}`,
      '      and 2 more: 20261111T020000Z-aaaaaaaa, 20261112T020000Z-aaaaaaaa',
      '      hint: a copy of its manifest brings it back',
      'Warning: the clock is late',
      `Warning: ${drift(13).message}`,
      '      hint: a copy of its manifest brings it back',
      '',
    ]);
    expect(formatPlanMarkdown(noticed)).toContain('nobody released it, and 2 more: 20261111T020000Z-aaaaaaaa, ');
    expect(text).toContain('4 drift.');
  });

  it('of many only the first ids are shown', () => {
    const many = { ...made, warnings: Array.from({ length: 90 }, (_, index) => drift(10 + index)) };
    const text = formatPlanText(many, plainPaint);
    expect(text).toMatch(/and 89 more: 20261111T020000Z-aaaaaaaa, \S+, 20261113T020000Z-aaaaaaaa, …\n/);
    expect(text).not.toContain('20261114T020000Z');
  });
});
