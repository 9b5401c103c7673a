/** In manifests: what mysqldump or mariadb-dump wrote for one database. */
export const DUMP_FORMAT = 'mysql-dump';
