import { startedServices } from '../services/connection.ts';
import { describeEngine } from './conformance.ts';
import { mysqlFixtureOn } from './mysql-fixture.ts';

for (const service of [...startedServices('mariadb'), ...startedServices('mysql')])
  describeEngine(mysqlFixtureOn(service));
