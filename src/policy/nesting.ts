const MAX_DEPTH = 64;

/**
 * Finds the place where a text nests deeper than any policy does, before a recursive parser meets it: far deeper ones
 * end the whole process instead of throwing. Counts without understanding quotes, which no real policy notices.
 */
export function firstNestingLimit(text: string): { readonly at: number; readonly message: string } | undefined {
  const indents: number[] = [];
  let brackets = 0;
  let offset = 0;
  for (const line of text.split('\n')) {
    const indent = line.search(/[^ \t]/);
    if (indent >= 0) {
      while ((indents.at(-1) ?? -1) >= indent) indents.pop();
      indents.push(indent);
    }
    const deepest = deepestBracket(line, brackets);
    brackets = deepest.after;
    const marks = line.match(/(?<=^|\s)[-?:](?=\s|$)/g)?.length ?? 0;
    if (indents.length > MAX_DEPTH || marks > MAX_DEPTH || deepest.most > MAX_DEPTH) {
      return { at: offset, message: `nested more than ${MAX_DEPTH} deep` };
    }
    offset += line.length + 1;
  }
  return undefined;
}

function deepestBracket(line: string, before: number): { readonly most: number; readonly after: number } {
  let depth = before;
  let most = before;
  for (const character of line) {
    if (character === '[' || character === '{') most = Math.max(most, ++depth);
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
  }
  return { most, after: depth };
}
