const OWN = `pg_temp.is_own(c.relnamespace) AND NOT pg_temp.of_extension('pg_catalog.pg_class', c.oid)`;

/** Tables and what hangs on them; one column of text each. */
export const RELATION_QUERIES: Readonly<Record<string, string>> = {
  relations: `
    SELECT format('%s %s%s of %s: %s; options %s; toast %s; in %s; by %s; key %s; bound %s; parents %s; security %s %s;
      identity %s; type %s; populated %s', c.relkind, c.oid::regclass, c.relpersistence, c.relowner::regrole,
      pg_temp.rights(c.relacl, CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner), c.reloptions,
      (SELECT reloptions FROM pg_catalog.pg_class WHERE oid = c.reltoastrelid),
      (SELECT spcname FROM pg_catalog.pg_tablespace WHERE oid = c.reltablespace),
      (SELECT amname FROM pg_catalog.pg_am WHERE oid = c.relam AND c.relkind <> 'p'),
      pg_catalog.pg_get_partkeydef(c.oid), pg_catalog.pg_get_expr(c.relpartbound, c.oid),
      (SELECT array_agg(inhparent::regclass ORDER BY inhseqno) FROM pg_catalog.pg_inherits WHERE inhrelid = c.oid),
      c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.reloftype::regtype, c.relispopulated)
    FROM pg_catalog.pg_class c WHERE ${OWN} AND c.relkind NOT IN ('i', 'I', 'c')`,

  columns: `
    SELECT format('%s %s %s %s%s default %s identity %s generated %s collate %s; storage %s %s; target %s; options %s %s;
      inherited %s %s: %s', c.oid::regclass, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname,
      pg_catalog.format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN ' not null' END,
      pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, nullif(a.attcollation, 0)::regcollation,
      a.attstorage, a.attcompression, nullif(to_jsonb(a) ->> 'attstattarget', '-1'), a.attoptions, a.attfdwoptions,
      a.attislocal, a.attinhcount, (SELECT pg_temp.rights(a.attacl, 'c', c.relowner)))
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE ${OWN} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND a.attnum > 0 AND NOT a.attisdropped`,

  constraints: `
    SELECT format('%s%s %s %s %s; validated %s, local %s, inherited %s', nullif(k.conrelid, 0)::regclass,
      nullif(k.contypid, 0)::regtype, k.conname, k.contype, pg_catalog.pg_get_constraintdef(k.oid), k.convalidated,
      k.conislocal, k.coninhcount)
    FROM pg_catalog.pg_constraint k
    WHERE pg_temp.is_own(k.connamespace) AND k.contype <> 'n' AND NOT pg_temp.of_extension('pg_catalog.pg_constraint', k.oid)`,

  indexes: `
    SELECT format('%s in %s; valid %s ready %s clustered %s identity %s; attached to %s; targets %s',
      pg_catalog.pg_get_indexdef(i.indexrelid),
      (SELECT spcname FROM pg_catalog.pg_tablespace WHERE oid = c.reltablespace), i.indisvalid, i.indisready,
      i.indisclustered, i.indisreplident,
      (SELECT inhparent::regclass FROM pg_catalog.pg_inherits WHERE inhrelid = c.oid),
      (SELECT array_agg(nullif(to_jsonb(a) ->> 'attstattarget', '-1') ORDER BY attnum) FROM pg_catalog.pg_attribute a
        WHERE attrelid = c.oid))
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE ${OWN}`,

  'views and rules': `
    SELECT format('%s on %s enabled %s: %s; reads %s', r.rulename, r.ev_class::regclass, r.ev_enabled,
      pg_temp.bare(pg_catalog.pg_get_ruledef(r.oid)),
      (SELECT string_agg(DISTINCT pg_catalog.pg_describe_object(refclassid, refobjid, refobjsubid), ', ')
        FROM pg_catalog.pg_depend WHERE classid = 'pg_catalog.pg_rewrite'::regclass AND objid = r.oid))
    FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class WHERE ${OWN}`,

  triggers: `
    SELECT format('%s; enabled %s', pg_catalog.pg_get_triggerdef(t.oid), t.tgenabled)
    FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid WHERE ${OWN} AND NOT t.tgisinternal
    UNION ALL
    SELECT format('%s on %s of %s enabled %s tags %s: %s', evtname, evtevent, evtowner::regrole, evtenabled, evttags,
      evtfoid::regprocedure)
    FROM pg_catalog.pg_event_trigger`,

  policies: `
    SELECT p::text FROM pg_catalog.pg_policies p`,

  statistics: `
    SELECT format('%s of %s; target %s', pg_catalog.pg_get_statisticsobjdef(s.oid), stxowner::regrole,
      nullif(to_jsonb(s) ->> 'stxstattarget', '-1'))
    FROM pg_catalog.pg_statistic_ext s WHERE pg_temp.is_own(s.stxnamespace)`,

  publications: `
    SELECT format('%s of %s all %s; %s %s %s %s root %s', pubname, pubowner::regrole, puballtables, pubinsert, pubupdate,
      pubdelete, pubtruncate, pubviaroot)
    FROM pg_catalog.pg_publication
    UNION ALL
    SELECT format('%s: %s (%s) where %s', p.pubname, r.prrelid::regclass, r.prattrs,
      pg_catalog.pg_get_expr(r.prqual, r.prrelid))
    FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
    UNION ALL
    SELECT format('%s: schema %s', p.pubname, n.pnnspid::regnamespace)
    FROM pg_catalog.pg_publication_namespace n JOIN pg_catalog.pg_publication p ON p.oid = n.pnpubid`,
};
