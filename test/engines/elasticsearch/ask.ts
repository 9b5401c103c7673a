/** Asks a server as a person with curl would; throws what it answers to a mistake. */
export async function ask(
  url: string,
  method: string,
  path: string,
  body?: string,
  type = 'application/json',
): Promise<string> {
  const response = await fetch(`${url}/${path}`, {
    method,
    ...(body === undefined ? {} : { body, headers: { 'content-type': type } }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`);
  return text;
}

export const askJson = async (url: string, method: string, path: string, body?: unknown): Promise<unknown> =>
  JSON.parse(await ask(url, method, path, body === undefined ? undefined : JSON.stringify(body)));

/** Sends lines of a bulk request, a few megabytes at a time, and waits until everybody sees what they did. */
export async function bulk(url: string, index: string, documents: readonly string[]): Promise<void> {
  for (let at = 0; at < documents.length; at += 20) {
    const lines = `${documents.slice(at, at + 20).join('\n')}\n`;
    const answer = await ask(
      url,
      'POST',
      `${encodeURIComponent(index)}/_bulk?refresh=true`,
      lines,
      'application/x-ndjson',
    );
    const { errors, items } = JSON.parse(answer) as { readonly errors: boolean; readonly items: readonly unknown[] };
    if (errors) throw new Error(`bulk into ${index}: ${JSON.stringify(items).slice(0, 500)}`);
  }
}

/** Indices with names that begin so, in order; those that are hidden, too. */
export async function indicesBelow(url: string, prefix: string): Promise<readonly string[]> {
  const pattern = `${encodeURIComponent(prefix)}*`;
  const answer = await ask(url, 'GET', `_cat/indices/${pattern}?format=json&h=index&expand_wildcards=all`);
  return (JSON.parse(answer) as readonly { readonly index: string }[]).map(({ index }) => index).toSorted();
}

/** Deletes the indices of a test, with what restores left of them. */
export async function deleteIndices(url: string, prefix: string): Promise<void> {
  const all = await Promise.all(['', 'bkp_new_', 'bkp_old_*'].map((own) => indicesBelow(url, `${own}${prefix}`)));
  for (const name of all.flat()) await ask(url, 'DELETE', encodeURIComponent(name));
}
