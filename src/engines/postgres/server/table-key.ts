/** How facts name a table: `public.events`, each part quoted like SQL where it is more than lower-case ASCII. */
export const tableKey = (schema: string, table: string): string => `${part(schema)}.${part(table)}`;

const part = (name: string): string => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`);
