import { describeEngine } from './conformance.ts';
import { fixtureOn, searchServers } from './elasticsearch-fixture.ts';

for (const service of searchServers()) describeEngine(fixtureOn(service));
