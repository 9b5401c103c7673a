import { existsSync, readFileSync, statSync } from 'node:fs';
import type { ClientConfig } from 'pg';
import { reasonOf, targetError } from '../../../errors.ts';
import { shellQuote } from '../../shell-quote.ts';
import type { PostgresTarget } from './connection.ts';

type Tls = Pick<PostgresTarget, 'tls' | 'tlsCa' | 'tlsCertificate' | 'tlsKey' | 'socket'>;

/** Where systems keep the certificates that they trust: Debian, Red Hat (two), SUSE, and Alpine or macOS. */
const OF_SYSTEM = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

const verifies = ({ tls }: Tls): boolean => tls === 'verify-ca' || tls === 'verify-full';

/**
 * The same file for our own sessions and for PostgreSQL's programs. Left to themselves, Node.js takes a list of its own and
 * `NODE_EXTRA_CA_CERTS`, and libpq a file in the home folder; its word `system` is not known before 16. Throws `target`
 * where the server shall be verified and nothing says by what.
 */
function authorities(target: Tls, ofSystem: readonly string[]): string | undefined {
  if (target.tlsCa !== undefined || !verifies(target)) return target.tlsCa;
  const found = ofSystem.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw targetError('cannot verify the server: this machine has no file with the authorities that it trusts', {
    hint: 'name the file with the certificates that sign that of the server under `tlsCa`, or install ca-certificates',
  });
}

/** How our own sessions are encrypted; as libpq does it, which verifies whenever it has certificates to do so. */
export function sessionTls(target: Tls, ofSystem: readonly string[] = OF_SYSTEM): ClientConfig['ssl'] {
  const { tls, socket, tlsCertificate, tlsKey } = target;
  if (tls === 'disable' || socket !== undefined) return false;
  const ca = authorities(target, ofSystem);
  if (tlsKey !== undefined) assertPrivate(tlsKey);
  return {
    rejectUnauthorized: verifies(target) || ca !== undefined,
    ...(ca === undefined ? {} : { ca: read(ca) }),
    ...(tlsCertificate === undefined ? {} : { cert: read(tlsCertificate) }),
    ...(tlsKey === undefined ? {} : { key: read(tlsKey) }),
    ...(tls === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

/**
 * The same for PostgreSQL's programs. What is not given they would take from the home folder, so they get the path
 * `nowhere`, where nothing is; and they would let Kerberos encrypt instead, where a ticket lies about.
 */
export function libpqTls(
  target: Tls,
  nowhere: string,
  ofSystem: readonly string[] = OF_SYSTEM,
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

const read = (path: string): Buffer => orUnreadable(path, () => readFileSync(path));

function orUnreadable<T>(path: string, look: () => T): T {
  try {
    return look();
  } catch (error) {
    throw targetError(`cannot read certificate ${path}: ${reasonOf(error)}`, {
      hint: 'correct `tlsCa`, `tlsCertificate` and `tlsKey`',
      cause: error,
    });
  }
}

/** PostgreSQL's programs refuse a key that others may read; so it is refused before one of them runs. */
function assertPrivate(path: string): void {
  const { uid, mode } = orUnreadable(path, () => statSync(path));
  if ((mode & (uid === 0 ? 0o037 : 0o077)) === 0) return;
  throw targetError(`cannot use key ${path}: others than its owner may read it`, {
    hint: `chmod 600 ${shellQuote(path)}`,
  });
}
