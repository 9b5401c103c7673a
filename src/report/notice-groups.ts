import type { PlanNotice } from '../reconcile/step.ts';

/** A notice with the snapshots of others that say the same of another one. */
export interface NoticeGroup {
  readonly first: PlanNotice;
  /** Ids of the others, in their order. */
  readonly others: readonly string[];
}

const ID = /\d{8}T\d{6}Z-[0-9a-z]{8}/g;
const IDS_SHOWN = 3;

/** Joins notices that differ in their snapshot only: what happened to a thousand is told once. */
export function groupNotices(notices: readonly PlanNotice[]): readonly NoticeGroup[] {
  const groups = new Map<string, { readonly first: PlanNotice; readonly others: string[] }>();
  for (const [index, notice] of notices.entries()) {
    const [id] = notice.message.match(ID) ?? [];
    const alike = JSON.stringify({ ...notice, index: id === undefined ? index : null }).replaceAll(ID, '');
    const group = groups.get(alike);
    if (group === undefined) groups.set(alike, { first: notice, others: [] });
    else group.others.push(id ?? '');
  }
  return [...groups.values()];
}

/** `and 12 more: 20261119T020000Z-k3x9q2aa, …`; undefined where there is one only. */
export function othersText({ others }: NoticeGroup): string | undefined {
  if (others.length === 0) return undefined;
  const shown = others.slice(0, IDS_SHOWN).join(', ');
  return `and ${others.length} more: ${shown}${others.length > IDS_SHOWN ? ', …' : ''}`;
}
