import { startedServices } from '../services/connection.ts';
import { describeEngine } from './conformance.ts';
import { fixtureOn } from './postgres-fixture.ts';

for (const service of startedServices('postgres')) describeEngine(fixtureOn(service));
