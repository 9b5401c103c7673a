import { integrityError } from '../../../errors.ts';
import type { CheckResult, IncomingArtifact } from '../../engine.ts';
import { documentCounter } from './count-documents.ts';
import { factsOfHeader, readDefinitions } from './definitions.ts';
import { DOCUMENTS_FORMAT, partName, STREAM_FORMAT } from './index-header.ts';

/**
 * Reads a capture, or only some of its indices: each has the documents that the definitions tell of. Throws `integrity`
 * otherwise.
 */
export async function checkExport(
  artifacts: readonly IncomingArtifact[],
  names?: readonly string[],
): Promise<CheckResult> {
  const { header } = await readDefinitions(artifacts);
  const isReference = header.snapshot !== undefined;
  const indices = header.indices.filter(({ name }) => names?.includes(name) ?? true);
  const dataStreams = (header.dataStreams ?? []).filter(({ name }) => names?.includes(name) ?? true);
  const parts = dataStreams.flatMap(({ name, indices: own }) =>
    own.map(({ documents }, position) => ({ name: partName(name, position), documents, format: STREAM_FORMAT })),
  );
  for (const { name, documents, format = DOCUMENTS_FORMAT } of [...indices, ...parts] as readonly Counted[]) {
    if (documents === 0 || isReference) continue;
    const artifact = artifacts.find((one) => one.format === format && one.name === name);
    if (artifact === undefined) throw integrityError(`cannot trust the snapshot: the documents of ${name} are missing`);
    const found = await countDocuments(artifact);
    if (found !== documents)
      throw integrityError(`cannot trust the snapshot: ${name} has ${found} documents, not ${documents}`);
  }
  return { facts: factsOfHeader({ ...header, indices, dataStreams }) };
}

interface Counted {
  readonly name: string;
  readonly documents: number;
  readonly format?: string;
}

async function countDocuments(artifact: IncomingArtifact): Promise<number> {
  const counter = documentCounter();
  await artifact.into({
    kind: 'reader',
    async read(raw) {
      for await (const chunk of raw) counter.push(chunk as Buffer);
    },
  });
  return counter.count();
}
