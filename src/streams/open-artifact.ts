import { stat } from 'node:fs/promises';
import type { Context } from '../context.ts';
import type { IncomingArtifact } from '../engines/engine.ts';
import type { Repository } from '../repositories/repository.ts';
import type { ManifestArtifact } from '../snapshots/manifest.ts';
import type { ByteSink } from './bytes.ts';
import { chooseDecoder, PLAIN } from './decoder.ts';
import { decodeInto } from './incoming.ts';
import { openListed } from './listed-file.ts';
import { openFile, openStored } from './stored-input.ts';

/**
 * A stored artifact as engines see it. Its stored bytes are to be verified first (`verifyStored`): a decoder hands out
 * bytes before it notices damage. An encrypted one is opened with the identities of the run. Where the policy asks for
 * signatures the stored bytes are hashed once more while they pass: the store may give others the second time.
 */
export function openArtifact(
  artifact: ManifestArtifact,
  { repository, key }: { readonly repository: Repository; readonly key: string },
  context: Context,
): IncomingArtifact {
  const { name, format, rawBytes, storedBytes, storedSha256, folder } = artifact;
  const incoming = {
    key,
    storedBytes,
    rawBytes,
    storedSha256: context.signing === undefined ? null : storedSha256,
    chooseDecoder: () => chooseDecoder(artifact, key, context),
    open: () => openStored(repository, key, storedBytes),
  };
  const opened = { name, format, rawBytes, into: (sink: ByteSink) => decodeInto(sink, incoming, context) };
  if (folder === undefined) return opened;
  const files = key.slice(0, key.length - artifact.key.length) + folder.key;
  return { ...opened, openFile: (file) => openListed(repository, files, file) };
}

/** A file of this machine that is in the native format, as engines see an artifact. */
export async function openNativeFile(path: string, format: string, context: Context): Promise<IncomingArtifact> {
  const { size } = await stat(path);
  const incoming = {
    key: path,
    storedBytes: size,
    rawBytes: size,
    storedSha256: null,
    chooseDecoder: () => PLAIN,
    open: () => openFile(path, path, size),
  };
  return { name: '', format, rawBytes: size, into: (sink) => decodeInto(sink, incoming, context) };
}
