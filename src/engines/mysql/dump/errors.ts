import { type BkpError, integrityError } from '../../../errors.ts';

/** The bytes are no whole dump. */
export const dumpError = (reason: string): BkpError =>
  integrityError(`cannot read the dump of MySQL: ${reason}`, {
    hint: 'the program that wrote it was stopped, or the copy is incomplete',
  });

/** It may be whole, and would write elsewhere than it is told. */
export const foreignDump = (what: string): BkpError =>
  integrityError(`cannot use the dump of MySQL: ${what}`, {
    hint: 'write it without --databases and --all-databases: one database, under whatever name',
  });
