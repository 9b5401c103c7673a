import { fieldsOf, parseDocument, writeDocument, type Fields, type Parsed } from './document.ts';
import type { SnapshotName } from './keys.ts';
import type { RunRecord, RunStep, SetAsideRecord } from './run-record.ts';
import { documentSigner, type SignedPlace } from './signature.ts';

export const writeRunRecord = (record: RunRecord): Buffer => writeDocument(record);

/** Reads a run record stored under the given name at a place. */
export function parseRunRecord(bytes: Uint8Array, name: SnapshotName, place: SignedPlace): Parsed<RunRecord> {
  return parseDocument(bytes, 1, (fields) => {
    const signedBy = documentSigner(fields.all, place);
    const record: RunRecord = {
      formatVersion: 1,
      id: fields.text('id'),
      policy: fields.text('policy'),
      backup: fields.text('backup'),
      command: fields.text('command'),
      host: fields.text('host'),
      bootId: fields.text('bootId'),
      pid: fields.whole('pid'),
      bkp: fields.text('bkp'),
      startedAt: fields.time('startedAt'),
      finishedAt: fields.timeOrNull('finishedAt'),
      outcome: fields.oneOf('outcome', 'running', 'done', 'partly', 'failed', 'interrupted'),
      tick: fields.timeOrNull('tick'),
      definitionSha256: fields.textOrNull('definitionSha256'),
      steps: fields.list('steps', (item, subject) => stepOf(fieldsOf(item, subject))),
      owedHooks: fields.list('owedHooks', (item) => textsOf(item)),
      setAside: fields.list('setAside', (item, subject) => setAsideOf(fieldsOf(item, subject))),
      ...('repositories' in fields.all ? { repositories: idsOf(fields.object('repositories')) } : {}),
      ...(signedBy === undefined ? {} : { signedBy }),
    };
    if (record.id !== name.id || record.backup !== name.backup)
      throw new Error(`it is the run ${record.backup}/${record.id}`);
    return record;
  });
}

const stepOf = (fields: Fields): RunStep => ({
  action: fields.text('action'),
  address: fields.text('address'),
  reason: fields.text('reason'),
  outcome: fields.oneOf('outcome', 'done', 'partial', 'failed', 'skipped', 'not-started'),
  snapshot: fields.textOrNull('snapshot'),
  error: fields.textOrNull('error'),
});

const setAsideOf = (fields: Fields): SetAsideRecord => ({
  type: fields.text('type'),
  reference: fields.text('reference'),
  host: fields.text('host'),
  target: fields.text('target'),
  into: fields.object('into').all,
  until: fields.time('until'),
});

const idsOf = (fields: Fields): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.keys(fields.all).map((name) => [name, fields.text(name)]));

function textsOf(item: unknown): readonly string[] {
  if (!Array.isArray(item) || !item.every((one) => typeof one === 'string')) throw new Error('an owed hook is no argv');
  return item;
}
