import { existsSync, readFileSync } from 'node:fs';
import type { ClientConfig } from 'pg';
import { reasonOf, targetError } from '../../../errors.ts';
import type { PostgresTarget } from './connection.ts';

type Tls = Pick<PostgresTarget, 'tls' | 'tlsCa' | 'tlsCertificate' | 'tlsKey' | 'socket'>;

/** Where systems keep the certificates that they trust: Debian, Red Hat, Alpine and macOS. */
const OF_SYSTEM = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];

const verifies = ({ tls }: Tls): boolean => tls === 'verify-ca' || tls === 'verify-full';

/** The same file for our own sessions and for PostgreSQL's programs, whose defaults differ. */
const authorities = (target: Tls): string | undefined =>
  target.tlsCa ?? (verifies(target) ? OF_SYSTEM.find((path) => existsSync(path)) : undefined);

/** How our own sessions are encrypted; as libpq does it, which verifies whenever it has certificates to do so. */
export function sessionTls(target: Tls): ClientConfig['ssl'] {
  const { tls, socket, tlsCertificate, tlsKey } = target;
  if (tls === 'disable' || socket !== undefined) return false;
  const ca = authorities(target);
  return {
    rejectUnauthorized: verifies(target) || ca !== undefined,
    ...(ca === undefined ? {} : { ca: read(ca) }),
    ...(tlsCertificate === undefined ? {} : { cert: read(tlsCertificate) }),
    ...(tlsKey === undefined ? {} : { key: read(tlsKey) }),
    ...(tls === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

/** The same for PostgreSQL's programs. */
export function libpqTls(target: Tls): Readonly<Record<string, string>> {
  const { tls, tlsCertificate, tlsKey } = target;
  const ca = authorities(target);
  return {
    ...(tls === undefined ? {} : { PGSSLMODE: tls }),
    ...(ca === undefined ? {} : { PGSSLROOTCERT: ca }),
    ...(tlsCertificate === undefined ? {} : { PGSSLCERT: tlsCertificate }),
    ...(tlsKey === undefined ? {} : { PGSSLKEY: tlsKey }),
  };
}

/** A server without TLS, a failed handshake, a rule of the server against TLS: then `prefer` goes in the clear, like libpq. */
export const mayGoInTheClear = ({ tls = 'prefer', socket }: Tls, error: unknown, code: string): boolean =>
  tls === 'prefer' &&
  socket === undefined &&
  (code === '28000' || /^(?:ERR_SSL|ERR_TLS|EPROTO)|CERT|SIGNATURE/.test(code) || /SSL/.test(reasonOf(error)));

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw targetError(`cannot read certificate ${path}: ${reasonOf(error)}`, {
      hint: 'correct `tlsCa`, `tlsCertificate` and `tlsKey`',
      cause: error,
    });
  }
}
