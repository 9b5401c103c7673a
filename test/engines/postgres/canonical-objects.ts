/** The catalogs whose objects have a name of their own, and the schema of each where it is in one. */
const CATALOGS: Readonly<Record<string, string>> = {
  pg_class: `relnamespace`,
  pg_proc: 'pronamespace',
  pg_type: 'typnamespace',
  pg_operator: 'oprnamespace',
  pg_opclass: 'opcnamespace',
  pg_opfamily: 'opfnamespace',
  pg_conversion: 'connamespace',
  pg_collation: 'collnamespace',
  pg_ts_config: 'cfgnamespace',
  pg_ts_dict: 'dictnamespace',
  pg_ts_parser: 'prsnamespace',
  pg_ts_template: 'tmplnamespace',
  pg_statistic_ext: 'stxnamespace',
  pg_cast: '',
  pg_language: '',
  pg_am: '',
  pg_transform: '',
  pg_extension: '',
  pg_foreign_data_wrapper: '',
  pg_foreign_server: '',
  pg_event_trigger: '',
  pg_publication: '',
};

/** Arrays follow their type; before 17 those of an extension's types did not belong to it. */
const NO_ARRAY = `typinput <> 'pg_catalog.array_in'::regproc`;

const identity = (catalog: string, schema: string): string => `
  SELECT (pg_catalog.pg_identify_object('pg_catalog.${catalog}'::regclass, o.oid, 0)).type || ' '
    || (pg_catalog.pg_identify_object('pg_catalog.${catalog}'::regclass, o.oid, 0)).identity
  FROM pg_catalog.${catalog} o
  WHERE o.oid >= 16384 AND ${schema === '' ? 'true' : `pg_temp.is_own(o.${schema})`}
    AND NOT pg_temp.of_extension('pg_catalog.${catalog}', o.oid)${catalog === 'pg_type' ? ` AND ${NO_ARRAY}` : ''}`;

/** Everything else that has a definition; one column of text each. */
export const OBJECT_QUERIES: Readonly<Record<string, string>> = {
  objects: Object.entries(CATALOGS)
    .map(([catalog, schema]) => identity(catalog, schema))
    .join(' UNION ALL '),

  schemas: `
    SELECT format('%s of %s: %s', nspname, nspowner::regrole, pg_temp.rights(nspacl, 'n', nspowner))
    FROM pg_catalog.pg_namespace WHERE pg_temp.is_own(oid)`,

  extensions: `SELECT extname || ' in ' || extnamespace::regnamespace FROM pg_catalog.pg_extension`,

  types: `
    SELECT format('%s %s of %s: %s; base %s %s default %s collate %s; labels %s; range of %s by %s; functions %s %s',
      t.typtype, t.oid::regtype, t.typowner::regrole, pg_temp.rights(t.typacl, 'T', t.typowner),
      pg_catalog.format_type(nullif(t.typbasetype, 0), t.typtypmod), t.typnotnull, t.typdefault,
      nullif(t.typcollation, 0)::regcollation,
      (SELECT array_agg(enumlabel ORDER BY enumsortorder) FROM pg_catalog.pg_enum WHERE enumtypid = t.oid),
      r.rngsubtype::regtype, r.rngsubdiff, t.typinput, t.typoutput)
    FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
    WHERE pg_temp.is_own(t.typnamespace) AND NOT pg_temp.of_extension('pg_catalog.pg_type', t.oid) AND ${NO_ARRAY}`,

  routines: `
    SELECT format('%s of %s: %s', CASE WHEN p.prokind = 'a' THEN 'aggregate ' || p.oid::regprocedure || ' ' ||
        (SELECT format('%s %s %s %s %s %s', aggtransfn, aggfinalfn, aggcombinefn, aggtranstype::regtype, agginitval, aggkind)
         FROM pg_catalog.pg_aggregate WHERE aggfnoid = p.oid)
      ELSE pg_temp.bare(pg_catalog.pg_get_functiondef(p.oid)) || ' as ' || p.oid::regprocedure END,
      p.proowner::regrole, pg_temp.rights(p.proacl, 'f', p.proowner))
    FROM pg_catalog.pg_proc p
    WHERE pg_temp.is_own(p.pronamespace) AND NOT pg_temp.of_extension('pg_catalog.pg_proc', p.oid)`,

  'operators and casts': `
    SELECT format('%s of %s: %s, negates %s, commutes %s, restrict %s, merges %s, hashes %s', o.oid::regoperator,
      o.oprowner::regrole, o.oprcode, o.oprnegate::regoperator, o.oprcom::regoperator, o.oprrest, o.oprcanmerge, o.oprcanhash)
    FROM pg_catalog.pg_operator o
    WHERE pg_temp.is_own(o.oprnamespace) AND NOT pg_temp.of_extension('pg_catalog.pg_operator', o.oid)
    UNION ALL
    SELECT format('%s to %s by %s, %s %s', castsource::regtype, casttarget::regtype, castfunc::regprocedure, castcontext,
      castmethod)
    FROM pg_catalog.pg_cast WHERE oid >= 16384 AND NOT pg_temp.of_extension('pg_catalog.pg_cast', oid)
    UNION ALL
    SELECT format('class %s of %s for %s, default %s: %s', c.opcname, c.opcowner::regrole, c.opcintype::regtype, c.opcdefault,
      (SELECT string_agg(format('%s %s', amopstrategy, amopopr::regoperator), ', ' ORDER BY amopstrategy)
        FROM pg_catalog.pg_amop WHERE amopfamily = c.opcfamily))
    FROM pg_catalog.pg_opclass c
    WHERE pg_temp.is_own(c.opcnamespace) AND NOT pg_temp.of_extension('pg_catalog.pg_opclass', c.oid)`,

  'text search': `
    SELECT format('%s: %s to %s', m.mapcfg::regconfig, m.maptokentype, m.mapdict::regdictionary)
    FROM pg_catalog.pg_ts_config_map m WHERE m.mapcfg >= 16384
    UNION ALL
    SELECT format('%s of %s by %s: %s', oid::regdictionary, dictowner::regrole, dicttemplate, dictinitoption)
    FROM pg_catalog.pg_ts_dict WHERE oid >= 16384`,

  'collations and conversions': `
    SELECT format('%s of %s: %s %s %s %s', oid::regcollation, collowner::regrole, collprovider, collcollate, collctype,
      collisdeterministic)
    FROM pg_catalog.pg_collation WHERE pg_temp.is_own(collnamespace)
    UNION ALL
    SELECT format('%s of %s: %s %s by %s, default %s', conname, conowner::regrole, conforencoding, contoencoding, conproc,
      condefault)
    FROM pg_catalog.pg_conversion WHERE pg_temp.is_own(connamespace)`,

  'foreign data': `
    SELECT format('wrapper %s of %s: %s, %s', fdwname, fdwowner::regrole, fdwoptions, pg_temp.rights(fdwacl, 'F', fdwowner))
    FROM pg_catalog.pg_foreign_data_wrapper
    UNION ALL
    SELECT format('server %s of %s: %s %s %s, %s', srvname, srvowner::regrole, srvtype, srvversion, srvoptions,
      pg_temp.rights(srvacl, 'S', srvowner))
    FROM pg_catalog.pg_foreign_server
    UNION ALL
    SELECT format('%s on %s: %s', usename, srvname, umoptions) FROM pg_catalog.pg_user_mappings
    UNION ALL
    SELECT format('table %s: %s', ftrelid::regclass, ftoptions) FROM pg_catalog.pg_foreign_table`,

  'default rights': `
    SELECT format('%s in %s for %s: %s', defaclrole::regrole, nullif(defaclnamespace, 0)::regnamespace, defaclobjtype,
      pg_temp.rights(defaclacl, defaclobjtype, defaclrole))
    FROM pg_catalog.pg_default_acl`,

  comments: `
    SELECT format('%s %s: %s', (pg_catalog.pg_identify_object(classoid, objoid, objsubid)).type,
      (pg_catalog.pg_identify_object(classoid, objoid, objsubid)).identity, description)
    FROM pg_catalog.pg_description
    WHERE (objoid >= 16384 OR classoid = 'pg_catalog.pg_largeobject'::regclass)
      AND classoid <> 'pg_catalog.pg_extension'::regclass AND NOT pg_temp.of_extension(classoid, objoid)`,
};
