import { describeEngine } from './conformance.ts';
import { mysqlFixtureOn } from './mysql-fixture.ts';

for (const service of ['mariadb-10.11', 'mysql-8.0']) describeEngine(mysqlFixtureOn(service, 'mydumper'));
