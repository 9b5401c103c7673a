/**
 * Condition on a `pg_class c`: it belongs to no extension, or its extension asks for its contents to be dumped. All else
 * of extensions comes back with them.
 */
export const NOT_OF_EXTENSION: string = `NOT EXISTS (
  SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'
    AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
    AND pg_catalog.array_position(e.extconfig, c.oid) IS NULL)`;
