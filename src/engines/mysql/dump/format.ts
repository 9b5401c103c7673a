/** In manifests: what mysqldump or mariadb-dump wrote for one database. */
export const DUMP_FORMAT = 'mysql-dump';

/** A tar of SQL files, which are one such dump in their order: tables, rows as mydumper wrote them, the rest. */
export const FOLDER_FORMAT = 'mysql-mydumper';

/** All that is read. */
export const STORED_FORMATS: readonly string[] = [DUMP_FORMAT, FOLDER_FORMAT];
