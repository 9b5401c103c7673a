import { servicesToTry } from '../services/connection.ts';
import { describeEngine } from './conformance.ts';
import { mysqlFixtureOn } from './mysql-fixture.ts';

for (const service of [...servicesToTry('mariadb'), ...servicesToTry('mysql')])
  describeEngine(mysqlFixtureOn(service, 'mydumper'));
