import { commandFixture } from './command-fixture.ts';
import { describeEngine } from './conformance.ts';

describeEngine(commandFixture);
