import { hostname } from 'node:os';
import { BKP_VERSION } from '../../src/version.ts';
import type { Place } from './run-bkp.ts';

const TIME = String.raw`\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z`;

/**
 * What a person reads, with all that changes from run to run replaced: ids are numbered in the order they appear, runs of
 * blanks after the indentation are two, because they fill up what was replaced.
 */
export function screen(place: Pick<Place, 'folder'>, text: string): string {
  const ids = new Map<string, string>();
  const idOf = (id: string): string => {
    const known = ids.get(id) ?? `<id-${ids.size + 1}>`;
    ids.set(id, known);
    return known;
  };
  return text
    .replaceAll(place.folder, '<folder>')
    .replaceAll(/\d{8}T\d{6}Z-[a-z0-9]{8}/g, idOf)
    .replaceAll(new RegExp(TIME, 'g'), '<time>')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>')
    .replaceAll(/sha256 [0-9a-f]{8}/g, 'sha256 <digest>')
    .replaceAll(/[0-9a-f]{64}/g, '<digest>')
    .replaceAll(/\d[\d.]* (?:[KMGT]iB|B)\b/g, '<size>')
    .replaceAll(/\b\d+[dhms](?: \d+[hms])?\b(?!>)/g, '<duration>')
    .replaceAll(/ \(<duration>\)$/gm, '')
    .replaceAll(/(<time>), in <duration>$/gm, '$1')
    .replaceAll(/\b\d+ bytes, the manifest says \d+/g, '<n> bytes, the manifest says <n>')
    .replaceAll(/process \d+ on \S+/g, 'process <pid> on <host>')
    .replaceAll(hostname(), '<host>')
    .replaceAll(BKP_VERSION, '<version>')
    .replaceAll(process.versions.node, '<node>')
    .replaceAll(/\b(?:GNU tar|bsdtar) [\d.]+/g, '<tar>')
    .replaceAll(/\b(?:apt-get|brew) install/g, '<install>')
    .replaceAll(/(?<=\S) {2,}/g, '  ')
    .trimEnd();
}
