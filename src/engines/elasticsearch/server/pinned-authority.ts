import { once } from 'node:events';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { targetError } from '../../../errors.ts';
import { unreachable } from './explain-error.ts';

const TIMEOUT_MS = 30_000;

/**
 * The authority with a fingerprint among those that a server shows, as PEM. What the server shows proves nothing yet: its
 * own certificate must still be verified by that authority.
 */
export async function pinnedAuthority(url: string, fingerprint: string, signal: AbortSignal): Promise<string> {
  const { hostname, port } = new URL(url);
  const doing = `cannot verify ${url}`;
  const host = hostname.replaceAll(/[[\]]/g, '');
  const socket = connect({
    host,
    port: Number(port === '' ? 443 : port),
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    rejectUnauthorized: false,
  });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) });
    const found = certificatesOf(socket).find((one) => plain(one.fingerprint256) === plain(fingerprint));
    if (found !== undefined) return toPem(found.raw);
  } catch (error) {
    throw unreachable(doing, error);
  } finally {
    socket.destroy();
  }
  throw targetError(`${doing}: none of its certificates has the fingerprint of \`tlsFingerprint\``, {
    hint: 'give that of the authority, as the server printed it at its first start; a changed one may be somebody else',
  });
}

function certificatesOf(socket: TLSSocket): readonly DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = [];
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && !chain.some(({ fingerprint256 }) => fingerprint256 === next?.fingerprint256)) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

const plain = (fingerprint: string): string => fingerprint.toLowerCase().replaceAll(':', '');

const toPem = (raw: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${raw.toString('base64').replaceAll(/.{64}/g, '$&\n').trim()}\n-----END CERTIFICATE-----\n`;
