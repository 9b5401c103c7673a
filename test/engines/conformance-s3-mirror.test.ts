import { describeEngine } from './conformance.ts';
import { s3Fixture } from './s3-fixture.ts';

describeEngine({
  ...s3Fixture,
  name: 's3, method mirror',
  make: async (folder, content) => ({ ...(await s3Fixture.make(folder, content)), method: 'mirror' }),
  recordBoundary: (raw) => raw.lastIndexOf(10, raw.length - 2) + 1,
});
