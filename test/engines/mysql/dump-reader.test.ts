import { describe, expect, it } from 'vitest';
import { openDumpInspector } from '../../../src/engines/mysql/dump/inspector.ts';
import { END } from './one-database.ts';

/** Reads a dump in pieces of a size, in one buffer that is used again and again. */
function read(text: string, size: number): unknown {
  const [bytes, buffer] = [Buffer.from(text), Buffer.alloc(size)];
  const reader = openDumpInspector();
  for (let at = 0; at < bytes.length; at += size) {
    const length = bytes.copy(buffer, 0, at, at + size);
    reader.push(buffer.subarray(0, length));
  }
  return reader.end();
}

const ODD = `/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump\n--\n/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS \`a;b\`;
CREATE TABLE \`a;b\` (\n  \`x'y\` int COMMENT 'it''s; -- \\'no\\' comment (1),(2)'\n) COMMENT='INSERT INTO \`a;b\` VALUES (1);';
INSERT INTO \`a;b\` VALUES (1,'),(\\');'),(2,'\\\\'),(3,_binary '\\0\\n;');
INSERT INTO \`a;b\` (\`x'y\`, \`VALUES (\`) VALUES\n(4,NULL),\n(5,0x27292C28),\n(6,'');
/* a plain comment with it's quote; and VALUES (1) */
# another one; it's
CREATE TABLE \`empty\` (\n  \`a\` int\n);
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=\`o'dd;;\`@\`%\`*/ /*!50003 TRIGGER \`t r\` BEFORE INSERT ON \`a;b\` FOR EACH ROW BEGIN
INSERT INTO \`a;b\` VALUES (1),(2);
-- it's a comment;;
SELECT ';;';
END */;;
CREATE DEFINER=\`root\`@\`localhost\` PROCEDURE \`p\`()
BEGIN INSERT INTO log VALUES (1); /* don't;; */ END ;;
DELIMITER ;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=\`root\`@\`localhost\` SQL SECURITY DEFINER */
/*!50001 VIEW \`v\` AS select 'USE \`x\`;' AS \`a\` */;
`;

describe('the reader of dumps', () => {
  it.each([1, 2, 3, 5, 16, 61, 4096])('counts what is rows and nothing else, in pieces of %i bytes', (size) => {
    expect(read(ODD + END, size)).toEqual({
      tables: { 'a;b': 6, empty: 0 },
      views: 1,
      triggers: 1,
      routines: 1,
      events: 0,
      definers: { "o'dd;;@%": 1, 'root@localhost': 2 },
    });
  });

  it('refuses every dump that is cut', () => {
    const whole = ODD + END;
    const bytes = Buffer.from(whole);
    for (let length = 0; length < bytes.length; length += 1)
      expect(() => read(bytes.subarray(0, length).toString('latin1'), 512), String(length)).toThrow(
        /cannot read the dump/,
      );
    expect(() => read(whole, 512)).not.toThrow();
  });
});
