import { TextDecoder } from 'node:util';
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
export function decoderOf(statement: string): TextDecoder {
  const [, name = ''] = /^SET client_encoding = '(\w+)';/.exec(statement) ?? [];
  const plain = name.toUpperCase().replaceAll('_', '');
  const label = LABELS[plain] ?? plain.replace(/^WIN(?=\d)/, 'windows-').replace(/^ISO8859(?=\d)/, 'iso-8859-');
  try {
    return new TextDecoder(label === '' ? UTF8 : label, { ignoreBOM: true });
  } catch {
    return new TextDecoder(UTF8, { ignoreBOM: true });
  }
}
