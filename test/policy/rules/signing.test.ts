import { describe, expect, it } from 'vitest';
import { examine, GOOD, problemsWith, resolved } from '../policy-text.ts';

const KEY = 'ed25519:gWHDE1sITxPTaDjrBl2jW1mUHJTALnTE8Gh3UnZlKqs=';
const withSigning = (signing: string): string => GOOD.replace('repositories:', `signing: ${signing}\nrepositories:`);

describe('signing', () => {
  it('takes public keys and a reference to a private one', async () => {
    const policy = await resolved(withSigning(`{ publicKeys: ["${KEY}"], privateKey: "\${file:keys/signing.key}" }`));
    expect(policy.signing).toMatchObject({
      publicKeys: [KEY],
      privateKey: '${file:keys/signing.key}',
      directory: '/work',
    });
    expect((await resolved(withSigning(`{ publicKeys: ["${KEY}"] }`))).signing?.privateKey).toBeUndefined();
    expect((await resolved(GOOD)).signing).toBeUndefined();
  });

  it.each([
    ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p', 'it does not begin with ed25519:'],
    ['ed25519-private:gWHDE1sITxPTaDjrBl2jW1mUHJTALnTE8Gh3UnZlKqs=', 'it is a private key'],
    ['ed25519:short', 'it is not 32 bytes in base64'],
  ])('says where %s is no public key', async (key, problem) => {
    expect(await problemsWith(withSigning(`{ publicKeys: ["${KEY}", "${key}"] }`), 'BKP2080')).toEqual([
      `bkp.yaml:3:${`signing: { publicKeys: ["${KEY}", `.length + 1} BKP2080 not a key to check signatures with: ${problem}`,
    ]);
  });

  it('needs a public key', async () => {
    expect(await problemsWith(withSigning('{ privateKey: "${env:KEY}" }'), 'BKP1003')).toHaveLength(1);
    expect(await problemsWith(withSigning('{ publicKeys: [] }'), 'BKP1008')).toHaveLength(1);
    expect(await problemsWith(withSigning(`{ publicKeys: ["${KEY}", "${KEY}"] }`), 'BKP1009')).toHaveLength(1);
  });

  it('takes no reference for a public key, so that it is seen in the review', async () => {
    expect(await problemsWith(withSigning('{ publicKeys: ["${env:KEY}"] }'), 'BKP2030')).toHaveLength(1);
  });

  it('warns of a literal private key and stores none', async () => {
    const text = withSigning(`{ publicKeys: ["${KEY}"], privateKey: ed25519-private:${'A'.repeat(43)}= }`);
    expect(await problemsWith(text, 'BKP2034')).toHaveLength(1);
    const { policy } = await examine(text);
    expect(policy?.files['bkp.yaml']).toContain('privateKey: "***"');
    expect(policy?.files['bkp.yaml']).toContain(KEY);
  });

  it('stands in the main file only', async () => {
    const files = { 'bkp.yaml': `${GOOD}include: [more.yaml]\n`, 'more.yaml': `signing: { publicKeys: ["${KEY}"] }\n` };
    expect(await problemsWith(files, 'BKP1011')).toHaveLength(1);
  });
});
