import { isIP } from 'node:net';
import type { SslOptions } from 'mysql2/promise';
import { targetError } from '../../../errors.ts';
import { assertPrivateKey, authorities, readTlsFile, verifies } from '../../tls-files.ts';
import type { MysqlTarget } from './connection.ts';

/** Whose way of writing options a program reads: a family's own, or that of the library others are built with. */
export type OptionsReader = 'mysql' | 'mariadb' | 'libmariadb';

type Tls = Pick<MysqlTarget, 'host' | 'tls' | 'tlsCa' | 'tlsCertificate' | 'tlsKey' | 'socket'>;

/** How our own sessions are encrypted; undefined where they are not. */
export function sessionTls(target: Tls): SslOptions | undefined {
  const { host = 'localhost', tls, socket, tlsCertificate, tlsKey } = target;
  if (tls === 'disable' || socket !== undefined) return undefined;
  // The library would compare the certificate with `localhost`, whatever the address.
  if (tls === 'verify-full' && isIP(host) !== 0)
    throw targetError(
      `cannot verify the server: \`host\` is the address ${host}, and certificates are compared with names`,
      {
        hint: 'give `host` as the certificate has it, or `tls: verify-ca`',
      },
    );
  const ca = authorities(target);
  if (tlsKey !== undefined) assertPrivateKey(tlsKey);
  return {
    rejectUnauthorized: verifies(target),
    verifyIdentity: tls === 'verify-full',
    ...(ca === undefined ? {} : { ca: readTlsFile(ca) }),
    ...(tlsCertificate === undefined ? {} : { cert: readTlsFile(tlsCertificate) }),
    ...(tlsKey === undefined ? {} : { key: readTlsFile(tlsKey) }),
  };
}

/** The same as lines of an options file, for the programs of a family: what our own session got, they must get too. */
export function toolTls(
  target: Tls,
  family: OptionsReader,
  isEncrypted: boolean,
): readonly (readonly [string, string | null])[] {
  const { tls, tlsCertificate, tlsKey } = target;
  const files = [
    ...(tlsCertificate === undefined ? [] : [['ssl-cert', tlsCertificate] as const]),
    ...(tlsKey === undefined ? [] : [['ssl-key', tlsKey] as const]),
  ];
  if (!isEncrypted && family === 'libmariadb') return [];
  if (!isEncrypted) return family === 'mysql' ? [['ssl-mode', 'DISABLED']] : [['skip-ssl', null]];
  const ca = authorities(target);
  const known = [...(ca === undefined ? [] : [['ssl-ca', ca] as const]), ...files];
  if (family === 'libmariadb')
    return [['ssl-enforce', '1'], ...known, ...(verifies(target) ? [['ssl-verify-server-cert', '1'] as const] : [])];
  if (family === 'mariadb')
    return [
      ['ssl', null],
      ...known,
      verifies(target) ? ['ssl-verify-server-cert', null] : ['skip-ssl-verify-server-cert', null],
    ];
  const mode = { 'verify-ca': 'VERIFY_CA', 'verify-full': 'VERIFY_IDENTITY' } as const;
  const wanted = tls === 'verify-ca' || tls === 'verify-full' ? mode[tls] : 'REQUIRED';
  return [['ssl-mode', wanted], ...known];
}
