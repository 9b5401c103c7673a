import { shellQuote } from '../shell-quote.ts';
import { type MongodbTarget, serverOf } from './server/uri.ts';

/** What a person types to bring a database back. $MONGO_CONFIG is a file with the `password:`, or the `uri:`, for `--config`. */
export function nativeRestore(
  { user, authDatabase = 'admin', tls = 'disable', uri, ...target }: MongodbTarget,
  { decode }: { readonly decode: string },
): string {
  const file = '--config "$MONGO_CONFIG"';
  if (uri !== undefined) return `${decode} | mongorestore ${file} --archive`;
  const login =
    user === undefined ? '' : ` -u ${shellQuote(user)} --authenticationDatabase ${shellQuote(authDatabase)} ${file}`;
  const encrypted = tls === 'disable' ? '' : ' --ssl';
  return `${decode} | mongorestore --host ${shellQuote(serverOf(target))}${login}${encrypted} --archive`;
}
