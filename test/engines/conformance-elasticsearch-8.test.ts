import { describeEngine } from './conformance.ts';
import { describeReferences } from './conformance-references.ts';
import { fixtureOn } from './elasticsearch-fixture.ts';

describeEngine(fixtureOn('elasticsearch-8.14.1'));
describeReferences(fixtureOn('elasticsearch-8.14.1', 'snapshot'));
