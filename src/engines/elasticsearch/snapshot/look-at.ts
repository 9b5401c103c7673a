import type { IndexHeader } from '../artifact/index-header.ts';
import { describeIndex, type DescribedIndex, headerOf } from '../capture/read-index.ts';
import { contentsOf } from '../restore/index-steps.ts';
import type { SearchServer } from '../server/server.ts';
import { lastOperations } from './count-unchanged.ts';

/** An index before its snapshot. */
export interface Looked {
  readonly described: DescribedIndex;
  readonly isOpen: boolean;
  readonly documents: number;
  readonly last: string;
}

/** Counts an index, and remembers what was written last. */
export async function lookAt(server: SearchServer, name: string, isOpen: boolean): Promise<Looked> {
  const described = await describeIndex(server, name);
  if (!isOpen) return { described, isOpen, documents: 0, last: '' };
  const last = await lastOperations(server, name);
  const { documents } = await contentsOf(server, name);
  return { described, isOpen, documents, last };
}

/** What was counted before holds where nothing was written until the snapshot was there. */
export async function judge(
  server: SearchServer,
  { described, isOpen, documents, last }: Looked,
): Promise<IndexHeader> {
  const header = headerOf(described, documents);
  if (!isOpen) return { ...header, isClosed: true };
  // An index that was deleted meanwhile is in the snapshot all the same.
  const now = await lastOperations(server, described.name).catch(() => 'gone');
  return now === last && !now.includes('unknown') ? header : { ...header, isUncounted: true };
}
