import { randomInt } from 'node:crypto';
import type { ByteName } from './byte-name.ts';

/** What a name stands for; 0 while it is not known. */
export const NAME = { unknown: 0, impliedFolder: 1, folder: 2, other: 3, link: 4 } as const;
export type NameKind = (typeof NAME)[keyof typeof NAME];

/**
 * Remembers what each name stands for in 11 to 23 bytes a name. Names are told apart by 64 bits with a secret seed; two
 * that met would be taken for one that stands twice, and refused, never mixed up silently.
 */
export interface NameTable {
  get(name: ByteName): NameKind;
  set(name: ByteName, kind: NameKind): void;
}

export function createNameTable(): NameTable {
  const seed = randomInt(2 ** 32);
  let capacity = 1024;
  let count = 0;
  let low = new Uint32Array(capacity);
  let high = new Uint32Array(capacity);
  let kinds = new Uint8Array(capacity);
  /** The hash of the name looked up last. */
  let first = 0;
  let second = 0;

  const slotOf = (a: number, b: number): number => {
    let slot = a & (capacity - 1);
    while (kinds[slot] !== NAME.unknown && (low[slot] !== a || high[slot] !== b)) slot = (slot + 1) & (capacity - 1);
    return slot;
  };
  const find = (name: ByteName): number => {
    let a = 0xdeadbeef ^ seed;
    let b = 0x41c6ce57 ^ seed;
    for (let index = 0; index < name.length; index++) {
      const byte = name.charCodeAt(index);
      a = Math.imul(a ^ byte, 2654435761);
      b = Math.imul(b ^ byte, 1597334677);
    }
    first = (Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)) >>> 0;
    second = (Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)) >>> 0;
    return slotOf(first, second);
  };
  const grow = (): void => {
    const old = { low, high, kinds };
    capacity *= 2;
    low = new Uint32Array(capacity);
    high = new Uint32Array(capacity);
    kinds = new Uint8Array(capacity);
    for (const [index, kind] of old.kinds.entries()) {
      if (kind === NAME.unknown) continue;
      const slot = slotOf(old.low[index] as number, old.high[index] as number);
      low[slot] = old.low[index] as number;
      high[slot] = old.high[index] as number;
      kinds[slot] = kind;
    }
  };
  return {
    get: (name) => kinds[find(name)] as NameKind,
    set(name, kind) {
      const slot = find(name);
      if (kinds[slot] === NAME.unknown) count++;
      low[slot] = first;
      high[slot] = second;
      kinds[slot] = kind;
      if (count > capacity * 0.8) grow();
    },
  };
}
