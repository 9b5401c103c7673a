import { integrityError } from '../../errors.ts';

/** One `key=value` of a pax header; the value as bytes, one character each. Keys may repeat (GNU sparse 0.0). */
export type PaxRecord = readonly [key: string, value: string];

/** Decodes the body of a pax header strictly: what another reader might understand otherwise is damage. */
export function decodePax(body: Buffer): readonly PaxRecord[] {
  const text = body.toString('latin1');
  const records: PaxRecord[] = [];
  let at = 0;
  while (at < text.length) {
    const space = text.indexOf(' ', at);
    const digits = text.slice(at, Math.min(space, at + 12));
    const end = at + Number(digits);
    const equals = text.indexOf('=', space);
    if (space < 0 || !/^[1-9]\d*$/.test(digits) || end > text.length || text[end - 1] !== '\n') throw malformed();
    if (equals <= space + 1 || equals >= end) throw malformed();
    records.push([text.slice(space + 1, equals), text.slice(equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

const malformed = (): Error =>
  integrityError('cannot read the archive: a pax header is malformed', {
    hint: 'the archive is damaged; use another copy',
  });
