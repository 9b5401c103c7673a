import type { CreateMultipartUploadCommandInput, HeadObjectCommandOutput } from '@aws-sdk/client-s3';

/** What stands with an object: its type, metadata, storage class, encryption. */
export type ObjectHeaders = Omit<Partial<CreateMultipartUploadCommandInput>, 'Bucket' | 'Key' | 'ChecksumAlgorithm'>;

/** How much of an object was sent. */
export interface Sent {
  readonly bytes: number;
  readonly parts: number;
}

/** An object that is about to be written. */
export interface Outgoing {
  readonly key: string;
  readonly headers: ObjectHeaders;
  /** Only where nothing is: the store refuses it otherwise, with 412. */
  readonly ifAbsent?: boolean;
  /** Whose the object is that stands there: answers may be lost, and others write too. */
  readonly whose: (head: HeadObjectCommandOutput, sent: Sent) => 'ours' | 'another' | 'unknown';
  /** Throws, and takes the object back, unless the store confirms the encryption that it was asked for. */
  readonly confirm: (encryption: string | undefined) => Promise<void>;
}
