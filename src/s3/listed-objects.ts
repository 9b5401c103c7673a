/** What an answer to a listing says of one object or folder, as it stands there. */
export interface Listed {
  readonly key: string;
  readonly tag: string;
  readonly bytes: string;
  readonly modified: string;
}

export interface TakenOut {
  readonly listed: readonly Listed[];
  /** The answer without them: the SDK reads what else it says. */
  readonly rest: string;
}

const BLOCK = /<(Contents|CommonPrefixes)>(.*?)<\/\1>/gs;

/**
 * Takes the objects and folders out of an answer to a listing. The SDK would make of a page of a thousand what takes 30 ms
 * and megabytes; of a hundred thousand objects that is most of a plan. Whatever is written in another way stays for the
 * SDK.
 */
export function takeOutListed(answer: string): TakenOut {
  if (answer.includes('<!')) return { listed: [], rest: answer };
  const listed: Listed[] = [];
  const rest = answer.replaceAll(BLOCK, (_, kind: string, block: string) => {
    listed.push({
      key: valueOf(block, kind === 'Contents' ? 'Key' : 'Prefix'),
      tag: valueOf(block, 'ETag'),
      bytes: valueOf(block, 'Size'),
      modified: valueOf(block, 'LastModified'),
    });
    return '';
  });
  return { listed, rest };
}

function valueOf(block: string, name: string): string {
  const start = block.indexOf(`<${name}>`);
  if (start === -1) return '';
  const text = block.slice(start + name.length + 2, block.indexOf(`</${name}>`, start));
  return text.includes('&') ? text.replaceAll(ENTITY, decoded) : alone(text);
}

const ENTITY = /&(?:#x([0-9a-f]+)|#(\d+)|(amp|lt|gt|quot|apos));/gi;

/** A piece of a text keeps all of it in memory: of a hundred thousand keys that would be every page. */
const alone = (piece: string): string => Buffer.from(piece).toString();

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decoded(_: string, hex: string | undefined, decimal: string | undefined, name: string | undefined): string {
  if (name !== undefined) return NAMED[name.toLowerCase()] ?? '';
  return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
}
