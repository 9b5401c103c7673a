import { expect, it } from 'vitest';
import { placeOf } from '../../src/reconcile/destination-place.ts';

it('says where a target is as its policy does, and nothing of a secret that was written out', () => {
  expect(placeOf({ type: 'sqlite', path: '/srv/app.db' })).toBe('/srv/app.db');
  expect(placeOf({ type: 'mongodb', host: 'db', port: 5, database: 'shop' })).toBe('host=db port=5 database=shop');
  expect(placeOf({ type: 'mongodb', uri: '${env:URI}', database: 'shop' })).toBe('uri=${env:URI} database=shop');
  expect(placeOf({ type: 'mongodb', uri: 'mongodb://u:secret@db/', database: 'shop' })).toBe('shop');
  expect(placeOf({ type: 'mongodb', uri: 'mongodb://u:${env:PASSWORD}x@db/', database: 'shop' })).toBe('shop');
});
