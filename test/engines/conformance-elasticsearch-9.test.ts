import { describeEngine } from './conformance.ts';
import { describeReferences } from './conformance-references.ts';
import { fixtureOn } from './elasticsearch-fixture.ts';

describeEngine(fixtureOn('elasticsearch-9.4.3'));
describeReferences(fixtureOn('elasticsearch-9.4.3', 'snapshot'));
