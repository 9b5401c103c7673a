import { describeEngine } from './conformance.ts';
import { fixtureOn } from './elasticsearch-fixture.ts';

describeEngine(fixtureOn('opensearch-3.8.0'));
describeEngine(fixtureOn('opensearch-3.8.0', 'snapshot'));
