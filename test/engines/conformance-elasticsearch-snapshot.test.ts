import { describeReferences } from './conformance-references.ts';
import { fixtureOn } from './elasticsearch-fixture.ts';

describeReferences(fixtureOn('opensearch-2.19.6', 'snapshot'));
