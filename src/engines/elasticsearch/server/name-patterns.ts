/** True for names that a pattern means; `*` stands for any letters. */
export function matches(pattern: string, name: string): boolean {
  const pieces = pattern.split('*').map((piece) => piece.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pieces.join('.*')}$`, 's').test(name);
}

export const isPattern = (text: string): boolean => text.includes('*');

/** Where a restore is built, and where what it replaced is kept: never part of a capture. */
export const isOwnName = (name: string): boolean => /^bkp_(?:new|old)_/.test(name);
