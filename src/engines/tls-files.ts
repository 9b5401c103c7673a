import { existsSync, readFileSync, statSync } from 'node:fs';
import { reasonOf, targetError } from '../errors.ts';
import { shellQuote } from './shell-quote.ts';

/** Where systems keep the certificates that they trust: Debian, Red Hat (two), SUSE, and Alpine or macOS. */
export const SYSTEM_AUTHORITIES: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** How a target of ours wants its connection encrypted. */
export interface TlsWish {
  readonly tls?: 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full' | undefined;
  readonly tlsCa?: string | undefined;
}

/** The server must show a certificate that an authority signed. */
export const verifies = ({ tls }: TlsWish): boolean => tls === 'verify-ca' || tls === 'verify-full';

/**
 * The file with authorities, the same for our own sessions and for the programs of the server. Throws `target` where the
 * server shall be verified and nothing says by what.
 */
export function authorities(target: TlsWish, ofSystem: readonly string[] = SYSTEM_AUTHORITIES): string | undefined {
  if (target.tlsCa !== undefined || !verifies(target)) return target.tlsCa;
  const found = ofSystem.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw targetError('cannot verify the server: this machine has no file with the authorities that it trusts', {
    hint: 'name the file with the certificates that sign that of the server under `tlsCa`, or install ca-certificates',
  });
}

/** A file with certificates or a key. Throws `target` where it cannot be read. */
export const readTlsFile = (path: string): Buffer => orUnreadable(path, () => readFileSync(path));

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

/** Throws `target` for a key that others may read: many programs refuse it, so it is refused before one of them runs. */
export function assertPrivateKey(path: string): void {
  const { uid, mode } = orUnreadable(path, () => statSync(path));
  if ((mode & (uid === 0 ? 0o037 : 0o077)) === 0) return;
  throw targetError(`cannot use key ${path}: others than its owner may read it`, {
    hint: `chmod 600 ${shellQuote(path)}`,
  });
}
