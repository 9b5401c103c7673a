import { describeEngine } from './conformance.ts';
import { s3Fixture } from './s3-fixture.ts';

describeEngine(s3Fixture);
