import type { TargetOf } from '../../engine.ts';

export type MongodbTarget = TargetOf<'mongodb'>;

const SELECTION_MS = '15000';

/**
 * How tools and the library reach a server: the target's own string, or one made of its keys. Passwords are in it, so it
 * stands in private files and nowhere else.
 */
export function connectionString(target: MongodbTarget): string {
  if (target.uri !== undefined) return withoutDatabase(target.uri);
  const { user, password, authDatabase = 'admin' } = target;
  const credentials =
    user === undefined
      ? ''
      : `${encodeURIComponent(user)}${password === undefined ? '' : `:${encodeURIComponent(password)}`}@`;
  const options = new URLSearchParams({
    ...(user === undefined ? {} : { authSource: authDatabase }),
    serverSelectionTimeoutMS: SELECTION_MS,
    ...tlsOptions(target),
  });
  return `mongodb://${credentials}${serverOf(target)}/?${options.toString().replaceAll('+', '%20')}`;
}

/** A database in the string would keep the tools to it, whatever the target says; it only tells where the user is known. */
function withoutDatabase(uri: string): string {
  const found = /^([^/]+\/\/[^/?]+)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(uri);
  const [, server, database = '', options = ''] = found ?? [];
  if (server === undefined) return uri;
  const isTold = database === '' || /(?:^|&)authSource=/i.test(options);
  const all = [...(isTold ? [] : [`authSource=${database}`]), ...(options === '' ? [] : [options])];
  return `${server}/${all.length === 0 ? '' : `?${all.join('&')}`}`;
}

/** Words that the library and the tools, which are written in Go, both know. */
function tlsOptions({ tls = 'disable', tlsCa, tlsCertificateKey }: MongodbTarget): Readonly<Record<string, string>> {
  if (tls === 'disable') return {};
  return {
    tls: 'true',
    ...(tls === 'require' ? { tlsInsecure: 'true' } : {}),
    ...(tlsCa === undefined ? {} : { tlsCAFile: tlsCa }),
    ...(tlsCertificateKey === undefined ? {} : { tlsCertificateKeyFile: tlsCertificateKey }),
  };
}

/** `mongo.internal:27017`, for people and for connection strings without a password. */
export function serverOf({ uri, host = 'localhost', port = 27_017 }: MongodbTarget): string {
  if (uri !== undefined) return /^[^:]+:\/\/(?:[^@/]*@)?([^/?]+)/.exec(uri)?.[1] ?? 'the server';
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
