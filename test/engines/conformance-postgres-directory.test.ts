import { describeEngine } from './conformance.ts';
import { fixtureOn } from './postgres-fixture.ts';

describeEngine(fixtureOn('postgres-15', 'directory'));
