/** Numbers that look random and are the same every time (xorshift32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

/** Text of a vocabulary of 4000 words, the early ones more often: compresses about fivefold. */
export function createText(random: () => number): (bytes: number) => Buffer {
  const words = Array.from({ length: 4000 }, () =>
    Array.from({ length: 3 + Math.floor(random() * 8) }, () =>
      String.fromCharCode(97 + Math.floor(random() * 26)),
    ).join(''),
  );
  return (bytes) => {
    const text = Buffer.allocUnsafe(bytes);
    let at = 0;
    while (at < bytes) at += text.write(`${words[Math.floor(random() ** 2 * words.length)]} `, at, 'latin1');
    return text;
  };
}
