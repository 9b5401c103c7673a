import { servicesToTry } from '../services/connection.ts';
import { describeEngine } from './conformance.ts';
import { fixtureOn } from './postgres-fixture.ts';

for (const service of servicesToTry('postgres')) describeEngine(fixtureOn(service));
