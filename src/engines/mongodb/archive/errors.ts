import { type BkpError, integrityError } from '../../../errors.ts';

/** The bytes end before the archive does. */
export const cutArchive = (where: string): BkpError =>
  integrityError(`cannot read the MongoDB archive: it is cut ${where}`, {
    hint: 'the program that wrote it was stopped, or the copy is incomplete',
  });

/** The bytes are none that mongodump writes. */
export const damagedArchive = (reason: string): BkpError =>
  integrityError(`cannot read the MongoDB archive: it is damaged, ${reason}`);

/** It may be whole, but not in a form that is read here. */
export const unreadableArchive = (reason: string, hint: string): BkpError =>
  integrityError(`cannot read the MongoDB archive: ${reason}`, { hint });
