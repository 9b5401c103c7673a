const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** True when the six check characters at the end of a lower-case bech32 text (BIP 173) fit the rest. */
export function hasBech32Checksum(text: string): boolean {
  const separator = text.lastIndexOf('1');
  const prefix = Array.from(text.slice(0, separator), (letter) => letter.charCodeAt(0));
  const data = Array.from(text.slice(separator + 1), (letter) => ALPHABET.indexOf(letter));
  if (separator < 1 || data.length < 6 || data.includes(-1)) return false;
  const values = [...prefix.map((code) => code >> 5), 0, ...prefix.map((code) => code & 31), ...data];
  return values.reduce(step, 1) === 1;
}

function step(sum: number, value: number): number {
  const top = sum >>> 25;
  return GENERATORS.reduce(
    (next, generator, bit) => ((top >>> bit) & 1 ? next ^ generator : next),
    ((sum & 0x1ffffff) << 5) ^ value,
  );
}
