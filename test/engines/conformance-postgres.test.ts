import { describeEngine } from './conformance.ts';
import { postgresFixture } from './postgres-fixture.ts';

describeEngine(postgresFixture);
