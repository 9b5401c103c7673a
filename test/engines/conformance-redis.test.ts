import { servicesToTry } from '../services/connection.ts';
import { describeEngine } from './conformance.ts';
import { fixtureOn } from './redis-fixture.ts';

for (const service of servicesToTry('redis')) describeEngine(fixtureOn(service));
