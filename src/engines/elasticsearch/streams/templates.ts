import type { Definition } from '../artifact/index-header.ts';
import { matches } from '../server/name-patterns.ts';
import type { SearchServer } from '../server/server.ts';

/** An index template, as far as it decides what a name stands for. */
export interface Template {
  readonly name: string;
  readonly patterns: readonly string[];
  readonly priority: number;
  /** What it means is made as a data stream. */
  readonly isForStreams: boolean;
}

interface Answer {
  readonly index_templates?: readonly {
    readonly name: string;
    readonly index_template: {
      readonly index_patterns?: readonly string[] | string;
      readonly priority?: number;
      readonly data_stream?: object;
    };
  }[];
}

/** Every index template of a server, its own too. */
export async function listTemplates(server: Pick<SearchServer, 'json'>): Promise<readonly Template[]> {
  const doing = 'cannot list the index templates';
  const answer = (await server.json({ method: 'GET', path: '/_index_template', doing, expected: [404] })) as Answer;
  return (answer?.index_templates ?? []).map(({ name, index_template: template }) => ({
    name,
    patterns: [template.index_patterns ?? []].flat(),
    priority: template.priority ?? 0,
    isForStreams: template.data_stream !== undefined,
  }));
}

/** The template that a data stream of this name lives by: of those that mean it the one that a server would take. */
export function templateFor(stream: string, templates: readonly Template[]): string | null {
  const meant = templates.filter(({ patterns }) => patterns.some((pattern) => matches(pattern, stream)));
  const [first] = meant.toSorted((a, b) => b.priority - a.priority);
  return first?.isForStreams === true ? first.name : null;
}

const pathOfTemplate = (name: string): string => `_index_template/${encodeURIComponent(name)}`;

/** A template with the component templates that it is made of, among what was captured. */
function definitionsOf(template: string, definitions: readonly Definition[]): readonly Definition[] {
  const own = definitions.find(({ path }) => path === pathOfTemplate(template));
  if (own === undefined) return [];
  const { composed_of: parts = [] } = JSON.parse(own.body.toString()) as { readonly composed_of?: readonly string[] };
  const paths = new Set(parts.map((part) => `_component_template/${encodeURIComponent(part)}`));
  return definitions.filter(({ path }) => path === own.path || paths.has(path));
}

/** Those of several templates, each once, in the order in which they can be made. */
export function definitionsOfAll(
  templates: readonly (string | null)[],
  definitions: readonly Definition[],
): readonly Definition[] {
  const needed = new Set(templates.flatMap((name) => (name === null ? [] : definitionsOf(name, definitions))));
  return definitions.filter((one) => needed.has(one));
}
