import { describeEngine } from './conformance.ts';
import { elasticsearchFixture } from './elasticsearch-fixture.ts';

describeEngine(elasticsearchFixture);
