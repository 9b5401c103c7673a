import { createCipheriv } from 'node:crypto';

/** A database with something of every kind, for both families. */
export const SCHEMA = `
  CREATE TABLE projects (id int PRIMARY KEY AUTO_INCREMENT, name varchar(50) NOT NULL UNIQUE) ENGINE=InnoDB;
  CREATE TABLE issues (project_id int NOT NULL, number int NOT NULL, title text, PRIMARY KEY (project_id, number),
    FOREIGN KEY (project_id) REFERENCES projects (id)) ENGINE=InnoDB;
  CREATE TABLE events (id bigint PRIMARY KEY AUTO_INCREMENT, project_id int, level enum('info', 'error'), payload longblob,
    size int AS (length(payload)) STORED, twice int AS (project_id * 2) VIRTUAL, KEY (level),
    FOREIGN KEY (project_id) REFERENCES projects (id)) ENGINE=InnoDB COMMENT='what; happened, it''s "so"';
  CREATE TABLE \`odd \`\`one ü\` (\`a b\` double, \`c\`\`d\` text) ENGINE=InnoDB;
  CREATE TABLE measures (at date NOT NULL, value int) ENGINE=InnoDB PARTITION BY RANGE (YEAR(at))
    (PARTITION old VALUES LESS THAN (2025), PARTITION new VALUES LESS THAN (2030));
  CREATE TABLE log (message text) ENGINE=InnoDB;
`;

export const DEFINITIONS = `
  CREATE VIEW zz_errors AS SELECT id, project_id FROM events WHERE level = 'error';
  CREATE VIEW errors AS SELECT id FROM zz_errors;
  DELIMITER ;;
  CREATE TRIGGER events_log AFTER INSERT ON events FOR EACH ROW BEGIN
    -- it's noted; always
    INSERT INTO log VALUES (CONCAT('event ', NEW.id));
  END;;
  CREATE PROCEDURE note(IN what text) BEGIN INSERT INTO log VALUES (what); SELECT ';;' AS semicolons; END;;
  CREATE FUNCTION twice(n int) RETURNS int DETERMINISTIC RETURN n * 2;;
  CREATE EVENT clean_log ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO DELETE FROM log WHERE message = 'old';;
  DELIMITER ;
`;

/** Rows, with payloads of so many bytes that hardly compress. */
export function rows(bytes: number): string {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16));
  const events = Array.from({ length: 100 }, (_, n) => {
    const payload = cipher.update(Buffer.alloc(bytes)).toString('hex');
    return `(${1 + (n % 2)}, '${n % 2 === 0 ? 'error' : 'info'}', 0x${payload})`;
  });
  return `
  INSERT INTO projects VALUES (1, 'one'), (2, 'two');
  INSERT INTO issues VALUES (1, 1, 'first'), (1, 2, NULL), (2, 1, 'other');
  INSERT INTO \`odd \`\`one ü\` VALUES (1.5, 'x'), (1.5, 'x'), (NULL, 'tab\\tnew\\nline \\\\. \\'),(\\' 😀');
  INSERT INTO measures VALUES ('2024-02-29', 1), ('2026-11-19', 2);
  INSERT INTO events (project_id, level, payload) VALUES ${events.join(',\n')};`;
}
