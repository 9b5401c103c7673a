import type { PolicyDocument } from './document.ts';
import { splitReferences, type ReferencePart } from './reference-syntax.ts';

const MASK = '***';

/**
 * The text of a policy file as snapshots keep it: still a policy, but literals in secret fields are masked. References
 * stay, without the default that one may name.
 */
export function storedText({ text, secrets }: Pick<PolicyDocument, 'text' | 'secrets'>): string {
  // What several aliases stand for is written once.
  const stretches = [...new Map(secrets.map((stretch) => [stretch.start, stretch])).values()];
  let stored = '';
  let end = 0;
  for (const stretch of stretches.toSorted((a, b) => a.start - b.start)) {
    const written = text.slice(stretch.start, stretch.end);
    // A block scalar ends with its line breaks.
    const value = written.trimEnd();
    if (value === '') continue;
    stored += text.slice(end, stretch.start) + masked(value) + written.slice(value.length);
    end = stretch.end;
  }
  return stored + text.slice(end);
}

/** A scalar in double quotes that names the same references. */
const masked = (written: string): string => JSON.stringify(splitReferences(written).map(maskedPart).join(''));

function maskedPart(part: ReferencePart): string {
  if (part.kind === 'file') return part.written;
  return part.kind === 'env' ? `\${env:${part.name}${part.fallback === undefined ? '' : `:-${MASK}`}}` : MASK;
}
