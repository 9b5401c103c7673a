import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Context } from '../../context.ts';
import { guardError, integrityError, notFoundError, targetError } from '../../errors.ts';
import type { IncomingArtifact, RestoreOutcome, RestoreRequest, TargetOf } from '../engine.ts';
import { type ByteName, quoteName } from './byte-name.ts';
import { createChoice, parseChosenPaths } from './choice.ts';
import { compareWithManifest } from './compare-trees.ts';
import { isFree } from './destination.ts';
import { mergeTree } from './merge.ts';
import { type Mounts, readMounts } from './mounts.ts';
import { placeUnits, type Placement, unitsOfChoice } from './placement.ts';
import { baseOf, placesOf, repairPlaces } from './repair.ts';
import { putInPlace } from './put-in-place.ts';
import { type ArchiveSurvey, surveyArchive } from './survey-archive.ts';
import { findTar } from './tar-program.ts';

/** Brings a tree back: everything is checked before the first file is written, and built beside before it takes its place. */
export async function restoreFiles(
  request: RestoreRequest<TargetOf<'files'>>,
  context: Context,
): Promise<RestoreOutcome> {
  const { destination, mode } = request;
  const tar = await findTar(context);
  const artifact = onlyArtifact(request.artifacts);
  const base = baseOf(destination);
  const earlier = await repairPlaces(placesOf(destination), tar, context);

  const chosen = request.paths.length === 0 ? null : parseChosenPaths(request.paths);
  const survey = await surveyArchive(artifact, {
    listFile: join(context.workDir, `files-${randomUUID()}.list`),
    choice: chosen === null ? null : createChoice(chosen),
  });
  compareWithManifest(request.expectedFacts, survey.whole.facts);
  refuseMissing(chosen, survey);
  if (survey.device !== null && context.host.uid !== 0) {
    throw targetError(`cannot restore ${quoteName(survey.device)}: it is a device, which only root can make`, {
      hint: 'run bkp as root, or choose other paths',
    });
  }
  const units = chosen === null ? survey.roots : unitsOfChoice(chosen, survey.roots);
  const placements = placeUnits(units, survey.roots, base);
  const later = await repairPlaces(placements, tar, context);
  const mounts = await readMounts(context);
  if (mode === 'new') for (const placement of placements) refuseOccupied(placement, mounts);

  const work = { request, artifact, survey, base, chosen, mounts, tar };
  const outcome = mode === 'merge' ? await mergeTree(work, context) : await putInPlace(work, mode, placements, context);
  return {
    ...outcome,
    keptOld: [...earlier.keptOld, ...later.keptOld, ...outcome.keptOld],
    warnings: [...earlier.notes, ...later.notes, ...outcome.warnings],
  };
}

function onlyArtifact(artifacts: readonly IncomingArtifact[]): IncomingArtifact {
  const [artifact] = artifacts;
  if (artifact !== undefined && artifacts.length === 1) return artifact;
  throw integrityError(`cannot restore: a snapshot of files has one archive, this one has ${artifacts.length}`);
}

function refuseMissing(chosen: readonly ByteName[] | null, survey: ArchiveSurvey): void {
  const missing = (chosen ?? []).filter((name) => !survey.found.has(name));
  if (missing.length === 0) return;
  throw notFoundError(`cannot restore ${missing.map(quoteName).join(', ')}: not in the snapshot`, {
    hint: 'nothing was restored; paths are given as they were captured, without globs',
  });
}

function refuseOccupied({ place }: Placement, mounts: Mounts): void {
  if (isFree(place, mounts)) return;
  throw guardError(`cannot restore ${quoteName(place)}: something stands there`, {
    hint: 'use `--mode replace` or `--mode merge`, or restore elsewhere with `--into root=…`',
  });
}
