import type { ConnectionOptions } from 'node:tls';
import { assertPrivateKey, authorities, readTlsFile, verifies } from '../../tls-files.ts';
import type { RedisTarget } from './connection.ts';

type Tls = Pick<RedisTarget, 'tls' | 'tlsCa' | 'tlsCertificate' | 'tlsKey' | 'socket'>;

/** How connections are encrypted; undefined where they are not. */
export function tlsOf(target: Tls): ConnectionOptions | undefined {
  const { tls = 'disable', socket, tlsCertificate, tlsKey } = target;
  if (tls === 'disable' || socket !== undefined) return undefined;
  const ca = authorities(target);
  if (tlsKey !== undefined) assertPrivateKey(tlsKey);
  return {
    rejectUnauthorized: verifies(target),
    ...(ca === undefined ? {} : { ca: readTlsFile(ca) }),
    ...(tlsCertificate === undefined ? {} : { cert: readTlsFile(tlsCertificate) }),
    ...(tlsKey === undefined ? {} : { key: readTlsFile(tlsKey) }),
    ...(tls === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}
