/** Something of every kind that both families have. */
export const RICH = `
  CREATE TABLE parents (id int PRIMARY KEY, name varchar(40) CHARACTER SET latin1) ENGINE=InnoDB;
  CREATE TABLE kinds (
    id bigint unsigned PRIMARY KEY AUTO_INCREMENT, parent int, big bigint, exact decimal(30, 10), approx double,
    raw longblob, bits bit(10), flags set('a', 'b', 'c''d'), choice enum('x', 'y;'), doc json, place point, note text,
    day date, moment datetime(6), stamp timestamp(3) NULL, age time(2), born year, secret int INVISIBLE DEFAULT 7,
    twice int AS (parent * 2) VIRTUAL, size int AS (length(note)) STORED,
    FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE CASCADE) ENGINE=InnoDB;
  CREATE TABLE loose (a int, b varchar(10)) ENGINE=MyISAM;
  CREATE TABLE fleeting (a int) ENGINE=MEMORY;
  CREATE TABLE \`grö\`\`ße $\` (\`sel ect\` int, KEY (\`sel ect\`)) ENGINE=InnoDB;
  CREATE TABLE parted (at date NOT NULL, n int) PARTITION BY RANGE (YEAR(at))
    (PARTITION p0 VALUES LESS THAN (2000), PARTITION p1 VALUES LESS THAN MAXVALUE);
  CREATE TABLE node (id int PRIMARY KEY, up int, FOREIGN KEY (up) REFERENCES node (id)) ENGINE=InnoDB;
  INSERT INTO parents VALUES (1, 'Größe'), (2, NULL);
  INSERT INTO kinds (id, parent, big, exact, approx, raw, bits, flags, choice, doc, place, note, day, moment, stamp, age, born, secret) VALUES
    (1, 1, 9223372036854775807, 12345678901234567890.1234567891, 0.1, 0x000a27225c1a, b'1010101010', 'a,c''d', 'y;',
      '{"a": [1, "\\\\u00fc", null]}', ST_GeomFromText('POINT(1.5 -2)'), 'INSERT INTO \`x\` VALUES (1),(2); 😀 \\\\ \\'quoted\\'\\n-- Dump completed',
      '2024-02-29', '2026-11-21 18:27:50.123456', '2026-11-21 18:27:50.123', '-838:59:59.00', 2026, 11),
    (2, 2, -9223372036854775808, -0.0000000001, 1e308, '', NULL, '', NULL, NULL, NULL, '', NULL, NULL, NULL, NULL, NULL, 0),
    (18446744073709551000, NULL, 0, 0, 0, REPEAT(0x0a5c27, 100000), 0, NULL, 'x', '[]', NULL, REPEAT('),(\\'', 1000), NULL, NULL, NULL, NULL, 1901, 1);
  INSERT INTO loose VALUES (1, 'a'), (1, 'a'), (2, NULL);
  INSERT INTO fleeting VALUES (3);
  INSERT INTO \`grö\`\`ße $\` VALUES (1), (NULL);
  INSERT INTO parted VALUES ('1999-01-01', 1), ('2020-01-01', 2);
  INSERT INTO node VALUES (1, NULL), (2, 1), (3, 2);
  CREATE VIEW zz AS SELECT id, note FROM kinds;
  CREATE VIEW aa AS SELECT id, 'it''s; a "view"' AS text FROM zz;
  DELIMITER ;;
  CREATE TRIGGER parents_in BEFORE INSERT ON parents FOR EACH ROW BEGIN SET NEW.name = COALESCE(NEW.name, 'it''s; new'); END;;
  CREATE PROCEDURE walk(IN n int) BEGIN DECLARE i int DEFAULT 0; WHILE i < n DO SET i = i + 1; END WHILE; SELECT ';;', i; END;;
  CREATE FUNCTION plus_one(n int) RETURNS int DETERMINISTIC RETURN n + 1;;
  CREATE EVENT sweep ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO DELETE FROM loose WHERE a = -1;;
  DELIMITER ;
`;

/** What only MariaDB has. */
export const RICH_MARIADB = `
  CREATE SEQUENCE numbers START WITH 5 INCREMENT BY 5 NOCACHE;
  SELECT NEXTVAL(numbers), NEXTVAL(numbers);
  CREATE TABLE versions (a int PRIMARY KEY) WITH SYSTEM VERSIONING;
  INSERT INTO versions VALUES (1), (2); UPDATE versions SET a = 3 WHERE a = 2;
`;

export const FACTS = {
  tables: { fleeting: 1, 'grö`ße $': 2, kinds: 3, loose: 3, node: 3, parents: 2, parted: 2 },
  views: 2,
  triggers: 1,
  routines: 2,
  events: 1,
};
