import { describe, expect, it } from 'vitest';
import { parseGrants } from '../../../src/engines/mysql/server/grants.ts';

describe('rights', () => {
  it.each([
    ['GRANT ALL PRIVILEGES ON *.* TO `a`@`%` WITH GRANT OPTION', 'SUPER', 'shop', true],
    ['GRANT ALL PRIVILEGES ON `shop`.* TO `a`@`%`', 'TRIGGER', 'shop', true],
    ['GRANT ALL PRIVILEGES ON `shop`.* TO `a`@`%`', 'SUPER', 'shop', false],
    ['GRANT SELECT, SHOW VIEW ON `shop`.* TO `a`@`%`', 'SHOW VIEW', 'shop', true],
    ['GRANT SELECT, SHOW VIEW ON `shop`.* TO `a`@`%`', 'EVENT', 'shop', false],
    ['GRANT SELECT ON `shop`.`orders` TO `a`@`%`', 'SELECT', 'shop', false],
    ['GRANT SELECT ON `shop\\_%`.* TO `a`@`%`', 'SELECT', 'shop_eu', true],
    ['GRANT SELECT ON `shop\\_%`.* TO `a`@`%`', 'SELECT', 'shopping', false],
    ['GRANT SELECT ON `shop_`.* TO `a`@`%`', 'SELECT', 'shops', true],
    ['GRANT SELECT ON `a.c`.* TO `a`@`%`', 'SELECT', 'abc', false],
    ['GRANT SELECT (`id`) ON `shop`.`orders` TO `a`@`%`', 'SELECT', 'shop', false],
    [
      "GRANT USAGE ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29'",
      'SELECT',
      'shop',
      false,
    ],
    ['GRANT `role`@`%` TO `a`@`%`', 'SELECT', 'shop', false],
  ])('%s: %s on %s is %s', (line, privilege, database, expected) => {
    expect(parseGrants([line]).has(privilege, database)).toBe(expected);
  });
});
