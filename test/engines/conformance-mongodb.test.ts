import { describeEngine } from './conformance.ts';
import { FIXTURES } from './fixtures.ts';

describeEngine(FIXTURES.mongodb);
