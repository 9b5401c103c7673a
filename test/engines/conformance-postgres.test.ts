import { startedServices } from '../services/connection.ts';
import { describeEngine } from './conformance.ts';
import { fixtureOn } from './postgres-fixture.ts';

for (const service of startedServices('postgres')) {
  describeEngine(fixtureOn(service));
  describeEngine(fixtureOn(service, 'directory'));
  if (service !== 'postgres-15') continue;
  describeEngine(fixtureOn(service, 'tar'));
  describeEngine(fixtureOn(service, 'plain'));
}
