import type { IncomingArtifact, RestoreRequest, TargetOf } from '../engine.ts';
import type { ByteName } from './byte-name.ts';
import type { Mounts } from './mounts.ts';
import type { ArchiveSurvey } from './survey-archive.ts';
import type { TarProgram } from './tar-program.ts';

/** What all modes work with once the archive is known to be good. */
export interface RestoreWork {
  readonly request: RestoreRequest<TargetOf<'files'>>;
  readonly artifact: IncomingArtifact;
  readonly survey: ArchiveSurvey;
  /** Null for the original places. */
  readonly base: ByteName | null;
  /** Null for everything. */
  readonly chosen: readonly ByteName[] | null;
  readonly mounts: Mounts;
  readonly tar: TarProgram;
}
