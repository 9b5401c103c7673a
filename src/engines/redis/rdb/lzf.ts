import { integrityError } from '../../../errors.ts';

/** Unpacks LZF, as dumps pack strings of more than 20 bytes. Throws `integrity` where the bytes make no sense. */
export function unpackLzf(packed: Buffer, length: number): Buffer {
  const out = Buffer.allocUnsafe(length);
  let from = 0;
  let to = 0;
  const take = (): number => {
    const byte = packed[from++];
    if (byte === undefined) throw damaged();
    return byte;
  };
  while (from < packed.length) {
    const control = take();
    if (control < 32) {
      const end = from + control + 1;
      if (end > packed.length || to + control + 1 > length) throw damaged();
      to += packed.copy(out, to, from, end);
      from = end;
    } else {
      const size = (control >> 5 === 7 ? 7 + take() : control >> 5) + 2;
      let back = to - (((control & 31) << 8) | take()) - 1;
      if (back < 0 || to + size > length) throw damaged();
      // What is copied may reach into what this very copy writes.
      for (const end = to + size; to < end;) out[to++] = out[back++] ?? 0;
    }
  }
  if (to !== length) throw damaged();
  return out;
}

const damaged = (): Error => integrityError('cannot read the dump: a packed string is damaged');
