import type { Diagnostic } from '../../errors.ts';
import { diagnose } from '../diagnose.ts';
import type { PolicyDocument } from '../document.ts';
import type { Path } from '../locate.ts';
import { recordOf, type PolicySet } from '../policy-set.ts';
import { holdsReference, mayHoldReference, splitReferences } from '../reference-syntax.ts';
import { SECRET_NAME, isSecretPath } from '../secret-text.ts';

const SYNTAX_HINT = 'write ${env:NAME}, ${env:NAME:-default} or ${file:PATH}; $${ stands for ${';
const PLACES_HINT =
  'references work in values of repositories and targets and in env, but not in keys that say what is captured, nor in programs with their arguments';

/** References are well-formed and stand only where they work; secrets are references. */
export function checkReferences(set: PolicySet): readonly Diagnostic[] {
  return set.documents.flatMap((document) =>
    Object.entries(recordOf(document.data))
      .filter(([key]) => !key.startsWith('x-'))
      .flatMap(([key, value]) => inside(document, value, [key])),
  );
}

function inside(document: PolicyDocument, value: unknown, path: Path): readonly Diagnostic[] {
  if (typeof value === 'string') return inText(document, value, path);
  if (Array.isArray(value)) return value.flatMap((item, index) => inside(document, item, [...path, index]));
  return Object.entries(recordOf(value)).flatMap(([key, inner]) => [
    ...(holdsReference(key) ? [misplaced(document, [...path, key], 'key')] : []),
    ...inside(document, inner, [...path, key]),
  ]);
}

function inText(document: PolicyDocument, text: string, path: Path): readonly Diagnostic[] {
  if (!mayHoldReference(path, document.data)) return holdsReference(text) ? [misplaced(document, path, 'value')] : [];
  const place = { document, path, part: 'value' } as const;
  const malformed = splitReferences(text).filter((part) => part.kind === 'malformed');
  if (malformed.length > 0) {
    return malformed.map(({ written }) => diagnose('BKP2031', place, `"${written}" is not a reference`, SYNTAX_HINT));
  }
  return isOfCommand(path) ? literalOfCommand(document, text, path) : literalSecret(document, text, path);
}

/** A variable of a target's own programs: what is no secret can stand among their arguments. */
const isOfCommand = (path: Path): boolean => path[0] === 'targets' && path[2] === 'env';

function literalOfCommand(document: PolicyDocument, text: string, path: Path): readonly Diagnostic[] {
  if (holdsReference(text)) return [];
  const name = String(path.at(-1));
  const hint = `write \${env:${name}} or \${file:PATH}; what nobody needs to hide can be an argument`;
  return [diagnose('BKP2062', { document, path, part: 'value' }, `"${name}" is a literal, not a reference`, hint)];
}

function misplaced(document: PolicyDocument, path: Path, part: 'key' | 'value'): Diagnostic {
  return diagnose('BKP2030', { document, path, part }, 'a reference does not work here', PLACES_HINT);
}

/** A variable of a hook is secret by its name only: most of them are harmless. */
function literalSecret(document: PolicyDocument, text: string, path: Path): readonly Diagnostic[] {
  const name = String(path.at(-1));
  const isSecret = path[0] === 'backups' ? SECRET_NAME.test(name) : isSecretPath(path);
  if (!isSecret || text === '' || holdsReference(text)) return [];
  const variable = name.replaceAll(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();
  const hint = `write \${env:${variable}} or \${file:PATH}, and change the secret: it was in the file`;
  return [
    diagnose('BKP2034', { document, path, part: 'value' }, `"${name}" is a literal where a secret belongs`, hint),
  ];
}
