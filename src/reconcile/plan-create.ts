import { dueTick } from '../schedule/ticks.ts';
import { canonicalJson } from '../snapshots/canonical-json.ts';
import type { SnapshotRecord } from '../snapshots/inventory.ts';
import type { RunRecord } from '../snapshots/run-record.ts';
import { isBeingRemoved } from '../snapshots/standing.ts';
import type { BackupView, GoodSnapshot } from './backup-view.ts';
import { acceptedDigests, definitionsOf, type Definitions } from './definition.ts';
import { addressOf, draft, type Draft, type Drafts } from './draft.ts';
import { formatDuration, formatInstant } from './phrases.ts';
import { reason, type Reason } from './reasons.ts';
import type { Estimate } from './step.ts';

export interface CreateInput {
  readonly view: BackupView;
  readonly now: Date;
  readonly requested: boolean;
  /** What the newest good snapshot captured, where it was read. */
  readonly lastDefinitions: Definitions | undefined;
}

/** The capture a backup needs now, or why it needs none. At most one step. */
export function planCreate(input: CreateInput): Partial<Drafts> {
  const { view } = input;
  const { backup } = view;
  const receiver = view.repositories.find((repository) => repository.state === 'ready');
  const address = addressOf(backup.name, receiver?.name ?? view.repositories[0]?.name ?? '');
  if (!backup.enabled && !input.requested) {
    return {
      withheld: [
        {
          action: 'create',
          address,
          snapshot: null,
          reason: reason('disabled', 'the policy says `enabled: false`'),
          source: backup.source,
        },
      ],
    };
  }
  const due = captureReason(input);
  if (due === null) {
    const newest = view.good.at(-1)?.record;
    return { keep: [{ address, snapshot: newest?.id ?? null, reason: freshReason(input, newest) }] };
  }
  if (receiver === undefined) return {};
  const retryAt = input.requested ? null : retryTime(view, due, input.now);
  if (retryAt !== null) {
    const message = `${due.message}; the last try failed and the next is due ${formatInstant(retryAt)} (\`bkp backup ${backup.name}\` tries now)`;
    return {
      withheld: [
        {
          action: 'create',
          address,
          snapshot: null,
          reason: reason(due.code, message, { ...due.data, retryAt: retryAt.toISOString() }),
          source: sourceOf(input, due),
        },
      ],
    };
  }
  return { steps: [createStep(input, receiver.name, due)] };
}

function createStep(input: CreateInput, repository: string, due: Reason): Draft {
  const { backup, good } = input.view;
  return draft(backup, {
    action: 'create',
    repository,
    reason: due,
    hooks: [...backup.hooks.before, ...backup.hooks.after].map((hook) => hook.argv),
    estimate: estimateFrom(good.at(-1)?.record),
    source: sourceOf(input, due),
  });
}

const sourceOf = ({ view }: CreateInput, due: Reason): Draft['source'] =>
  (due.code === 'schedule-due' ? view.backup.sources['schedule'] : undefined) ?? view.backup.source;

/** What a capture will read and write, as the newest snapshot did. */
const estimateFrom = (snapshot: SnapshotRecord | undefined): Estimate => ({
  readBytes: snapshot?.sizeBytes ?? 0,
  writeBytes: snapshot?.storedBytes ?? 0,
});

function captureReason(input: CreateInput): Reason | null {
  const { view, now } = input;
  const { backup, good } = view;
  if (input.requested) return reason('requested', 'asked for on the command line');
  const own = good.filter(({ record }) => record.kind === 'backup');
  const newest = newestBy(own, now);
  if (newest === undefined) return damagedOnly(view) ?? reason('first-snapshot', 'no good snapshot yet');
  if (!acceptedDigests(backup).includes(newest.record.definitionSha256)) {
    return reason('definition-changed', describeChange(definitionsOf(backup), input.lastDefinitions), {
      snapshot: newest.record.id,
      before: input.lastDefinitions ?? null,
      after: definitionsOf(backup),
    });
  }
  const tick = backup.schedule === null ? null : dueTick(backup.schedule, backup.timezone, now);
  if (tick === null || satisfies(own, tick, now)) return null;
  const lateMs = now.getTime() - tick.getTime();
  const late = lateMs >= 60_000 ? `, ${formatDuration(lateMs)} late` : '';
  const due = `tick ${formatInstant(tick)} has no good snapshot${late}`;
  if (damagedFor(view, tick)) {
    return reason('verify-failed', `${due}: the one made for it is damaged and no copy is good`, {
      tick: tick.toISOString(),
    });
  }
  const last = newest.record;
  return reason('schedule-due', `${due}; the last good one is from ${formatInstant(last.startedAt)}`, {
    tick: tick.toISOString(),
    lateSeconds: Math.max(0, Math.round(lateMs / 1000)),
    lastGood: last.id,
  });
}

/**
 * The newest by a clock that agrees with this one: a snapshot from the future of a clock that ran ahead counts only where
 * there is no other, so that what is captured now is seen.
 */
export const newestBy = (own: readonly GoodSnapshot[], now: Date): GoodSnapshot | undefined =>
  own.findLast(({ record }) => record.startedAt <= now.toISOString()) ?? own.at(-1);

/** Clocks of two runners may be this far apart; a snapshot from later than that is no reason to capture nothing. */
const SKEW_MS = 24 * 3_600_000;

/** True when a good snapshot was made for a tick or after it. */
export function satisfies(good: readonly GoodSnapshot[], tick: Date, now: Date): boolean {
  const wanted = tick.toISOString();
  const latest = new Date(now.getTime() + SKEW_MS).toISOString();
  return good.some(
    ({ record: { tick: made, startedAt } }) => startedAt <= latest && ((made ?? '') >= wanted || startedAt >= wanted),
  );
}

function damagedSnapshots(view: BackupView): readonly SnapshotRecord[] {
  const good = new Set(view.good.map(({ record }) => record.id));
  return view.repositories
    .flatMap((repository) => [...repository.snapshots.values()])
    .filter(({ kind, status }) => kind === 'backup' && status === 'created')
    .filter((snapshot) => !good.has(snapshot.id) && !isBeingRemoved(snapshot));
}

const damagedFor = (view: BackupView, tick: Date): boolean =>
  damagedSnapshots(view).some((snapshot) => (snapshot.tick ?? '') >= tick.toISOString());

function damagedOnly(view: BackupView): Reason | null {
  const damaged = damagedSnapshots(view).length;
  return damaged === 0 ? null : reason('verify-failed', 'every snapshot is damaged and no copy is good', { damaged });
}

function describeChange(after: Definitions, before: Definitions | undefined): string {
  if (before === undefined) return 'what is captured changed since the last good snapshot';
  const added = Object.keys(after)
    .filter((name) => !(name in before))
    .map((name) => `target ${name} added`);
  const removed = Object.keys(before)
    .filter((name) => !(name in after))
    .map((name) => `target ${name} removed`);
  const changed = Object.keys(after)
    .filter((name) => name in before && canonicalJson(after[name]) !== canonicalJson(before[name]))
    .map((name) => `target ${name} changed`);
  return [...added, ...removed, ...changed].join(', ') || 'what is captured changed since the last good snapshot';
}

function freshReason({ view, now }: CreateInput, newest: SnapshotRecord | undefined): Reason {
  if (newest === undefined) return reason('fresh', 'nothing is due');
  const age = formatDuration(now.getTime() - Date.parse(newest.startedAt));
  const unscheduled = view.backup.schedule === null ? '; no schedule' : '';
  return reason('fresh', `newest good snapshot is ${age} old${unscheduled}`, { snapshot: newest.id });
}

/** When a failed capture may be tried again; null when nothing speaks against trying now: another tick is due at once. */
function retryTime(view: BackupView, due: Reason, now: Date): Date | null {
  const failed = view.runs.filter((run) => run.definitionSha256 !== null && run.finishedAt !== null).at(-1);
  if (failed === undefined || !captureFailed(failed)) return null;
  if (!acceptedDigests(view.backup).includes(failed.definitionSha256 ?? '')) return null;
  const { schedule, timezone } = view.backup;
  const tick = schedule === null ? null : (dueTick(schedule, timezone, now)?.toISOString() ?? null);
  if (due.code !== 'definition-changed' && failed.tick !== tick) return null;
  const newestGood = view.good.at(-1)?.record.startedAt ?? '';
  if (newestGood > failed.startedAt) return null;
  const retryAt = new Date(Date.parse(failed.finishedAt ?? failed.startedAt) + view.backup.retryAfterMs);
  return retryAt > now && Date.parse(failed.startedAt) <= now.getTime() ? retryAt : null;
}

const captureFailed = (run: RunRecord): boolean =>
  run.outcome !== 'interrupted' &&
  run.steps.some(
    ({ action, reason: code, outcome }) =>
      action === 'create' && code !== 'safety' && (outcome === 'failed' || outcome === 'partial'),
  );
