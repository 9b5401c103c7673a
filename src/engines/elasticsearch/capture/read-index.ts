import type { Problem } from '../../engine.ts';
import type { Definition, IndexHeader } from '../artifact/index-header.ts';
import { pathOfIndex } from '../artifact/index-header.ts';
import { digestJson } from '../json/canonical.ts';
import { inOneLine } from '../json/one-line.ts';
import { fieldsOf } from '../json/walk.ts';
import type { SearchServer } from '../server/server.ts';

/** An index as its server describes it. */
export interface DescribedIndex {
  readonly name: string;
  readonly shards: number;
  readonly aliases: Buffer;
  readonly mappings: Buffer;
  readonly settings: Readonly<Record<string, string>>;
}

/** Settings that tell how an index came about; no server takes them from anybody. */
const OF_SERVER =
  /^index\.(?:uuid|provided_name|creation_date.*|version\..*|history\.uuid|resize\..*|shrink\..*|routing\.allocation\.initial_recovery\..*|verified_before_close|store\.snapshot\..*|transform\..*)$/;
/** Settings that change or refuse documents on their way in. */
const AFTERWARDS = /^index\.(?:blocks\..*|final_pipeline)$/;

export async function describeIndex(server: SearchServer, name: string): Promise<DescribedIndex> {
  const answer = await server.bytes({
    method: 'GET',
    path: `/${pathOfIndex(name)}`,
    query: { flat_settings: true },
    doing: `cannot read the definition of index ${name}`,
  });
  const [index] = fieldsOf(answer ?? Buffer.from('{}')).values();
  const parts = fieldsOf(index ?? Buffer.from('{}'));
  const empty = Buffer.from('{}');
  const settings = JSON.parse((parts.get('settings') ?? empty).toString()) as Readonly<Record<string, string | null>>;
  return {
    name,
    shards: Number(settings['index.number_of_shards'] ?? 1),
    aliases: parts.get('aliases') ?? empty,
    mappings: parts.get('mappings') ?? empty,
    settings: Object.fromEntries(
      // A setting that was taken away may still stand there as null.
      Object.entries(settings).flatMap(([key, value]) => (value === null || OF_SERVER.test(key) ? [] : [[key, value]])),
    ),
  };
}

/** What makes the index again, as its server takes it. */
export function definitionOf({ name, aliases, mappings, settings }: DescribedIndex): Definition {
  const first = Object.fromEntries(Object.entries(settings).filter(([key]) => !AFTERWARDS.test(key)));
  const parts = ['{"settings":', JSON.stringify(first), ',"mappings":', mappings, ',"aliases":', aliases, '}'];
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return { path: pathOfIndex(name), body: inOneLine(body) };
}

export const headerOf = ({ name, mappings, settings }: DescribedIndex, documents: number): IndexHeader => ({
  name,
  documents,
  mappings: digestJson(mappings),
  afterwards: Object.fromEntries(Object.entries(settings).filter(([key]) => AFTERWARDS.test(key))),
});

interface SourceMapping {
  readonly _source?: {
    readonly enabled?: boolean;
    readonly mode?: string;
    readonly includes?: readonly string[];
    readonly excludes?: readonly string[];
  };
}

/** What an export of an index cannot have in it: nothing at all is a problem, a part of the documents a warning. */
export function judgeSource({ name, mappings, settings }: DescribedIndex): {
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
} {
  const { _source: source = {} } = JSON.parse(mappings.toString()) as SourceMapping;
  const mode = source.mode ?? settings['index.mapping.source.mode'];
  if (source.enabled === false || mode === 'disabled')
    return {
      problems: [
        {
          message: `index ${name} keeps no _source: its documents cannot be exported`,
          hint: `leave it out with \`excludeIndices: [${name}]\``,
        },
      ],
      warnings: [],
    };
  const warnings: string[] = [];
  if ((source.includes ?? []).length + (source.excludes ?? []).length > 0)
    warnings.push(`index ${name} leaves fields out of _source: what is only searchable is not in the export`);
  if (mode === 'synthetic')
    warnings.push(`index ${name} has a synthetic _source: its documents are what the server makes of them`);
  return { problems: [], warnings };
}
