import { shellQuote } from '../shell-quote.ts';
import { DEFINITIONS_FORMAT, pathOfIndex, REFERENCE_FORMAT, STREAM_FORMAT } from './artifact/index-header.ts';
import type { SearchTarget } from './server/settings.ts';

/** Lines of a bulk request that go at once: two for each document. */
const LINES = 2000;

/**
 * The command that makes what one artifact tells of: definitions by one PUT each, documents by bulk requests; or has
 * the server restore its snapshot.
 */
export function nativeRestore(
  target: SearchTarget,
  { name, format, decode }: { readonly name: string; readonly format: string; readonly decode: string },
): string {
  const address = (target.url ?? 'https://SERVER').replace(/\/$/, '');
  const curl = `curl -fsS ${authOf(target)}-H 'content-type: application/x-ndjson' --data-binary @-`;
  if (format === REFERENCE_FORMAT) {
    const path = `sed -n '1s/.*"restore":"\\([^"]*\\)".*/\\1/p'`;
    const call = curl.replace('x-ndjson', 'json').replace(' --data-binary @-', '');
    const body = `-d '{"include_global_state":false}'`;
    return `path=$(${decode} | ${path}) && ${call} ${body} -X POST ${shellQuote(address)}/"$path"'?wait_for_completion=true'`;
  }
  if (format === DEFINITIONS_FORMAT)
    return [
      `${decode} | { read -r _; while IFS= read -r path && IFS= read -r body; do`,
      `printf '%s' "$body" | ${curl.replace('x-ndjson', 'json')} -X PUT ${shellQuote(address)}/"$path" || exit 1; done; }`,
    ].join(' ');
  // Documents of a data stream name it themselves.
  const index = format === STREAM_FORMAT ? '' : `/${pathOfIndex(name)}`;
  const url = shellQuote(`${address}${index}/_bulk?pipeline=_none`);
  const filter = `${curl} ${url} | grep -c '"errors":false' > /dev/null`;
  return `${decode} | split -l ${LINES} --filter=${shellQuote(filter)} -`;
}

/** Secrets come from the environment of the person. */
function authOf({ username, apiKey, bearerToken }: SearchTarget): string {
  if (apiKey !== undefined) return '-H "Authorization: ApiKey $ES_API_KEY" ';
  if (bearerToken !== undefined) return '-H "Authorization: Bearer $ES_TOKEN" ';
  return username === undefined ? '' : `-u ${shellQuote(username)}:"$ES_PASSWORD" `;
}
