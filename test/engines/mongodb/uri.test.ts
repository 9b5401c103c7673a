import { expect, it } from 'vitest';
import { connectionString, serverOf } from '../../../src/engines/mongodb/server/uri.ts';

const limit = 'serverSelectionTimeoutMS=15000';

it.each([
  [{}, `mongodb://localhost:27017/?${limit}`],
  [
    { host: 'db', port: 27_018, user: 'a b@c', password: 'p:/?#[]@%ä' },
    `mongodb://a%20b%40c:p%3A%2F%3F%23%5B%5D%40%25%C3%A4@db:27018/?authSource=admin&${limit}`,
  ],
  [{ host: '::1', user: 'u', authDatabase: 'shop' }, `mongodb://u@[::1]:27017/?authSource=shop&${limit}`],
  [
    { tls: 'verify-full', tlsCa: '/etc/ca with space.pem', tlsCertificateKey: '/k.pem' },
    `mongodb://localhost:27017/?${limit}&tls=true&tlsCAFile=%2Fetc%2Fca%20with%20space.pem&tlsCertificateKeyFile=%2Fk.pem`,
  ],
  [{ tls: 'require' }, `mongodb://localhost:27017/?${limit}&tls=true&tlsInsecure=true`],
  [{ uri: 'mongodb://u:p@a:1,b:2/?replicaSet=r' }, 'mongodb://u:p@a:1,b:2/?replicaSet=r'],
  [{ uri: 'mongodb://u:p@a' }, 'mongodb://u:p@a/'],
  [{ uri: 'mongodb+srv://u:p@a.b.c/shop?w=1' }, 'mongodb+srv://u:p@a.b.c/?authSource=shop&w=1'],
  [{ uri: 'mongodb://u:p@a/shop?authSource=admin' }, 'mongodb://u:p@a/?authSource=admin'],
] as const)('makes a connection string of %j', (keys, expected) => {
  expect(connectionString({ type: 'mongodb', database: 'x', ...keys })).toBe(expected);
});

it('names a server without what opens it', () => {
  expect(serverOf({ type: 'mongodb', uri: 'mongodb://user:secret@a:1,b:2/x?y=z' })).toBe('a:1,b:2');
  expect(serverOf({ type: 'mongodb', host: 'db' })).toBe('db:27017');
});
