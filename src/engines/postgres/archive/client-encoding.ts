import { TextDecoder } from 'node:util';

/** Turns bytes of one encoding into text. */
export interface Decoder {
  decode(bytes: Buffer): string;
}

/** Each byte is its own character; what the Encoding Standard calls latin1 has other ones at 0x80 to 0x9f. */
export const LATIN1: Decoder = { decode: (bytes) => bytes.toString('latin1') };

const UTF8 = 'utf-8';

/** Names of PostgreSQL that are no names of the Encoding Standard, after all but letters and digits was taken out. */
const LABELS: Readonly<Record<string, string>> = {
  LATIN6: 'iso-8859-10',
  LATIN7: 'iso-8859-13',
  LATIN8: 'iso-8859-14',
  LATIN9: 'iso-8859-15',
  LATIN10: 'iso-8859-16',
  KOI8R: 'koi8-r',
  KOI8U: 'koi8-u',
  EUCJP: 'euc-jp',
  EUCJIS2004: 'euc-jp',
  EUCKR: 'euc-kr',
  EUCCN: 'gb2312',
  WIN: 'windows-1251',
  ALT: 'ibm866',
  WIN866: 'ibm866',
};

/** The encoding that `SET client_encoding = 'LATIN1';` names; UTF-8 where there is none such or Node does not know it. */
export function decoderOf(statement: string): Decoder {
  const [, name = ''] = /^SET client_encoding = '(\w+)';/.exec(statement) ?? [];
  const plain = name.toUpperCase().replaceAll('_', '');
  if (plain === 'LATIN1') return LATIN1;
  const label = LABELS[plain] ?? plain.replace(/^WIN(?=\d)/, 'windows-').replace(/^ISO8859(?=\d)/, 'iso-8859-');
  try {
    return new TextDecoder(label === '' ? UTF8 : label, { ignoreBOM: true });
  } catch {
    return new TextDecoder(UTF8, { ignoreBOM: true });
  }
}
