import { describeEngine } from './conformance.ts';
import { describeReferences } from './conformance-references.ts';
import { fixtureOn } from './elasticsearch-fixture.ts';

describeEngine(fixtureOn('opensearch-3.8.0'));
describeReferences(fixtureOn('opensearch-3.8.0', 'snapshot'));
