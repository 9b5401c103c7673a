import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export interface SignedPair {
  /** Files. */
  readonly certificate: string;
  readonly key: string;
}

/** An authority of its own in a folder, and certificates that it signs. */
export interface Authority {
  readonly certificate: string;
  /** `names` as a certificate has them: `DNS:localhost`. */
  readonly sign: (subject: string, names?: string) => SignedPair;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export function makeAuthority(folder: string, name: string): Authority {
  const make = (subject: string, args: readonly string[]): SignedPair => {
    const pair = { certificate: join(folder, `${subject}.pem`), key: join(folder, `${subject}.key`) };
    const files = ['-keyout', pair.key, '-out', pair.certificate];
    execFileSync('openssl', ['req', '-x509', '-days', '2', '-subj', `/CN=${subject}`, ...KEY, ...files, ...args], {
      stdio: 'ignore',
    });
    return pair;
  };
  const own = make(name, []);
  return {
    certificate: own.certificate,
    sign: (subject, names) =>
      make(subject, [
        '-CA',
        own.certificate,
        '-CAkey',
        own.key,
        '-addext',
        'basicConstraints=critical,CA:FALSE',
        ...(names === undefined ? [] : ['-addext', `subjectAltName=${names}`]),
      ]),
  };
}
