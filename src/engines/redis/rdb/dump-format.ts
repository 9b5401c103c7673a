/** What servers call a dump, and manifests its format. */
export const DUMP_FORMAT = 'rdb';
