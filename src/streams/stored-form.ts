import type { Readable } from 'node:stream';
import type { Context } from '../context.ts';
import type { CompressionMethod } from './bytes.ts';
import type { Encoder } from './encoder.ts';
import { encryptFromNode } from './encrypt-flow.ts';
import type { Stages } from './stages.ts';
import { checkCompressed, checkEncrypted, type FormCheck } from './stored-meter.ts';

export interface StoredForm extends FormCheck {
  readonly stored: Readable;
}

/**
 * What comes out of the encoder, encrypted where that is left to this process, with a check of every form that is seen
 * here: the compressed bytes unless they went from program to program, and the encrypted ones.
 */
export async function openStoredForm(
  encoded: Readable,
  encoder: Encoder,
  { method, isEncrypted }: { readonly method: CompressionMethod; readonly isEncrypted: boolean },
  stages: Stages,
  context: Context,
): Promise<StoredForm> {
  if (!isEncrypted) return { stored: encoded, ...checkCompressed(method) };
  const outer = checkEncrypted(method);
  if (encoder.encryption === undefined) return { stored: encoded, ...outer };
  const inner = checkCompressed(method);
  return {
    stored: await encryptFromNode(encoded, encoder.encryption, inner.push, stages, context),
    push: outer.push,
    assertWhole(subject, rawBytes) {
      inner.assertWhole(subject, rawBytes);
      outer.assertWhole(subject, rawBytes);
    },
  };
}
