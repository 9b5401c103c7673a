import type { ClientConfig } from 'pg';
import { reasonOf } from '../../../errors.ts';
import { assertPrivateKey, authorities, readTlsFile, SYSTEM_AUTHORITIES, verifies } from '../../tls-files.ts';
import type { PostgresTarget } from './connection.ts';

type Tls = Pick<PostgresTarget, 'tls' | 'tlsCa' | 'tlsCertificate' | 'tlsKey' | 'socket'>;

/** How our own sessions are encrypted; as libpq does it, which verifies whenever it has certificates to do so. */
export function sessionTls(target: Tls, ofSystem: readonly string[] = SYSTEM_AUTHORITIES): ClientConfig['ssl'] {
  const { tls, socket, tlsCertificate, tlsKey } = target;
  if (tls === 'disable' || socket !== undefined) return false;
  const ca = authorities(target, ofSystem);
  if (tlsKey !== undefined) assertPrivateKey(tlsKey);
  return {
    rejectUnauthorized: verifies(target) || ca !== undefined,
    ...(ca === undefined ? {} : { ca: readTlsFile(ca) }),
    ...(tlsCertificate === undefined ? {} : { cert: readTlsFile(tlsCertificate) }),
    ...(tlsKey === undefined ? {} : { key: readTlsFile(tlsKey) }),
    ...(tls === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

/**
 * The same for PostgreSQL's programs; libpq's word `system` is not known before 16. What is not given they would take from
 * the home folder, so they get the path `nowhere`, where nothing is; and they would let Kerberos encrypt instead, where a
 * ticket lies about.
 */
export function libpqTls(
  target: Tls,
  nowhere: string,
  ofSystem: readonly string[] = SYSTEM_AUTHORITIES,
): Readonly<Record<string, string>> {
  const { tls, socket, tlsCertificate = nowhere, tlsKey = nowhere } = target;
  const isEncrypted = tls !== 'disable' && socket === undefined;
  return {
    ...(tls === undefined ? {} : { PGSSLMODE: tls }),
    PGSSLROOTCERT: (isEncrypted ? authorities(target, ofSystem) : undefined) ?? nowhere,
    PGSSLCERT: tlsCertificate,
    PGSSLKEY: tlsKey,
    PGSSLCRL: nowhere,
    PGGSSENCMODE: 'disable',
  };
}

/** A server without TLS, a failed handshake, a rule of the server against TLS: then `prefer` goes in the clear, like libpq. */
export const mayGoInTheClear = ({ tls = 'prefer', socket }: Tls, error: unknown, code: string): boolean =>
  tls === 'prefer' &&
  socket === undefined &&
  (code === '28000' || /^(?:ERR_SSL|ERR_TLS|EPROTO)|CERT|SIGNATURE/.test(code) || /SSL/.test(reasonOf(error)));
