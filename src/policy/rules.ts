import type { Diagnostic } from '../errors.ts';
import type { PolicySet } from './policy-set.ts';
import { checkChecks } from './rules/checks.ts';
import { checkCopies } from './rules/copies.ts';
import { checkDatabases } from './rules/databases.ts';
import { checkEncryption } from './rules/encryption.ts';
import { checkFormats } from './rules/formats.ts';
import { checkMirrors } from './rules/mirrors.ts';
import { checkMongodb } from './rules/mongo-target.ts';
import { checkNames } from './rules/names.ts';
import { checkObjectLock } from './rules/object-lock.ts';
import { checkPlaces } from './rules/places.ts';
import { checkReferences } from './rules/references.ts';
import { checkRestores } from './rules/restores.ts';
import { checkSearchServers } from './rules/search-servers.ts';
import { checkServerReferences } from './rules/server-references.ts';
import { checkServerFiles } from './rules/server-files.ts';
import { checkSigning } from './rules/signing.ts';
import { checkUsage } from './rules/usage.ts';

/** A rule looks at the whole policy and says what is wrong; it knows no clock, environment or file. */
type Rule = (set: PolicySet) => readonly Diagnostic[];

const RULES: readonly Rule[] = [
  checkFormats,
  checkNames,
  checkReferences,
  checkChecks,
  checkDatabases,
  checkMirrors,
  checkMongodb,
  checkSearchServers,
  checkServerFiles,
  checkServerReferences,
  checkEncryption,
  checkSigning,
  checkUsage,
  checkCopies,
  checkObjectLock,
  checkPlaces,
  checkRestores,
];

/** What the schema cannot say, from every rule. */
export function applyRules(set: PolicySet): readonly Diagnostic[] {
  return RULES.flatMap((rule) => rule(set));
}
