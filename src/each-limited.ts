/** Does work for every item, at most `limit` at a time, and gives the results in order. The first error ends it, once running work has settled. */
export async function eachLimited<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const errors: unknown[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && errors.length === 0) {
      const index = next;
      next += 1;
      try {
        results[index] = await work(items[index] as T);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (errors.length > 0) throw errors[0];
  return results;
}

/** How much of a stream is worked on at once: so many items, and so much weight unless a single one has more. */
export interface Room<T> {
  readonly items: number;
  readonly weight: number;
  weigh(item: T): number;
}

/** Does work for every item of a stream and gives the results in order. The first error ends it, once running work has settled. */
export async function* eachInOrder<T, R>(
  items: AsyncIterable<T>,
  room: Room<NoInfer<T>>,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, undefined> {
  const source = items[Symbol.asyncIterator]();
  const underWay: { readonly weight: number; readonly result: Promise<R> }[] = [];
  let weight = 0;
  let isEnded = false;
  try {
    for (;;) {
      while (!isEnded && underWay.length < room.items && (weight < room.weight || underWay.length === 0)) {
        const next = await source.next();
        if (next.done === true) isEnded = true;
        else {
          const result = work(next.value);
          // It is awaited in its turn; until then its failure must not end the process.
          result.catch(() => undefined);
          underWay.push({ weight: room.weigh(next.value), result });
          weight += room.weigh(next.value);
        }
      }
      const first = underWay[0];
      if (first === undefined) return undefined;
      yield await first.result;
      underWay.shift();
      weight -= first.weight;
    }
  } finally {
    await Promise.allSettled(underWay.map(({ result }) => result));
    await source.return?.();
  }
}
