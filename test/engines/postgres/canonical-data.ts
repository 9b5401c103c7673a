/** Rows, sequences and large objects; one column of text each. */
export const DATA_QUERIES: Readonly<Record<string, string>> = {
  rows: `
    SELECT c.oid::regclass || ': ' || pg_temp.ask(format('SELECT count(*) || '' rows, '' || md5(coalesce(string_agg((t.*)::text, chr(10)
      ORDER BY (t.*)::text COLLATE "C"), '''')) FROM ONLY %s t', c.oid::regclass))
    FROM pg_catalog.pg_class c
    WHERE (c.relkind = 'r' OR c.relkind = 'm' AND c.relispopulated) AND pg_temp.is_own(c.relnamespace)
      AND c.relnamespace <> coalesce(to_regnamespace('bank'), 0)`,

  sequences: `
    SELECT format('%s as %s start %s by %s from %s to %s cache %s%s at %s, owned by %s', s.seqrelid::regclass,
      s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
      CASE WHEN s.seqcycle THEN ' cycle' END,
      pg_temp.ask(format('SELECT row(last_value, is_called) FROM %s', s.seqrelid::regclass)),
      coalesce((SELECT string_agg(format('%s.%s (%s)', refobjid::regclass, refobjsubid, deptype), '') FROM pg_catalog.pg_depend
        WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = s.seqrelid AND deptype IN ('a', 'i')), 'nobody'))
    FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
    WHERE pg_temp.is_own(c.relnamespace) AND c.relnamespace <> coalesce(to_regnamespace('bank'), 0)`,

  'large objects': `
    SELECT format('%s of %s: %s; %s bytes, %s', oid, lomowner::regrole, pg_temp.rights(lomacl, 'L', lomowner),
      length(lo_get(oid)), md5(lo_get(oid)))
    FROM pg_catalog.pg_largeobject_metadata`,

  database: `
    SELECT format('%s %s %s by %s %s of %s, limit %s: %s', pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype,
      datlocprovider, coalesce(to_jsonb(d) ->> 'daticulocale', to_jsonb(d) ->> 'datlocale'), datdba::regrole, datconnlimit, pg_temp.rights(datacl, 'd', datdba))
    FROM pg_catalog.pg_database d WHERE datname = pg_catalog.current_database()
    UNION ALL
    SELECT format('%s: %s', CASE setrole WHEN 0 THEN 'all' ELSE setrole::regrole::text END, setting)
    FROM pg_catalog.pg_db_role_setting, unnest(setconfig) setting
    WHERE setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
    UNION ALL
    SELECT 'comment: ' || pg_catalog.shobj_description(oid, 'pg_database')
    FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()`,
};
