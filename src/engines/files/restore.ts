import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../context.ts';
import { guardError, integrityError, notFoundError, targetError } from '../../errors.ts';
import type { IncomingArtifact, RestoreOutcome, RestoreRequest, TargetOf } from '../engine.ts';
import { type ByteName, quoteName } from './byte-name.ts';
import { isBelow } from './capture-roots.ts';
import { createChoice, parseChosenPaths } from './choice.ts';
import { compareWithManifest } from './compare-trees.ts';
import { isFree } from './destination.ts';
import { mergeTree } from './merge.ts';
import { type Mounts, readMounts } from './mounts.ts';
import { placeUnits, type Placement, unitsOfChoice } from './placement.ts';
import { baseOf, placesOf, repairPlaces } from './repair.ts';
import { putInPlace } from './put-in-place.ts';
import { type ArchiveSurvey, surveyArchive } from './survey-archive.ts';
import type { RestoreWork } from './restore-work.ts';
import { findTar, type TarProgram } from './tar-program.ts';

/** Brings a tree back: everything is checked before the first file is written, and built beside before it takes its place. */
export async function restoreFiles(
  request: RestoreRequest<TargetOf<'files'>>,
  context: Context,
): Promise<RestoreOutcome> {
  const workDir = await mkdtemp(join(context.workDir, 'files-'));
  try {
    return await restoreWith(request, { ...context, workDir });
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

async function restoreWith(request: RestoreRequest<TargetOf<'files'>>, context: Context): Promise<RestoreOutcome> {
  const tar = await findTar(context);
  const repairs = [await repairPlaces(placesOf(request.destination), tar, context)];
  try {
    const work = await surveyRequest(request, tar, context);
    const { mode } = request;
    const placements = placeUnits(work.units, work.survey.roots, work.base);
    if (work.base === null) refuseElsewhere(placements, request.destination);
    repairs.push(await repairPlaces(placements, tar, context));
    const wasFinished = repairs.some((repair) => repair.hasFinished);
    if (mode === 'new') for (const placement of placements) refuseOccupied(placement, work.mounts, wasFinished);
    const outcome =
      mode === 'merge' ? await mergeTree(work, context) : await putInPlace(work, mode, placements, context);
    return {
      ...outcome,
      keptOld: [...repairs.flatMap((repair) => repair.keptOld), ...outcome.keptOld],
      warnings: [...repairs.flatMap((repair) => repair.notes), ...outcome.warnings],
    };
  } catch (error) {
    // What was repaired stays repaired, and is told even when the rest fails.
    for (const message of repairs.flatMap((repair) => repair.notes)) context.emit({ type: 'warning', message });
    throw error;
  }
}

/** Reads the whole archive and holds it against the manifest, the rules and what was asked for. */
async function surveyRequest(
  request: RestoreRequest<TargetOf<'files'>>,
  tar: TarProgram,
  context: Context,
): Promise<RestoreWork & { readonly units: readonly ByteName[] }> {
  const artifact = onlyArtifact(request.artifacts);
  const chosen = request.paths.length === 0 ? null : parseChosenPaths(request.paths);
  const survey = await surveyArchive(artifact, {
    listFile: join(context.workDir, 'entries.list'),
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
  const mounts = await readMounts(context);
  return { request, artifact, survey, base: baseOf(request.destination), chosen, mounts, tar, units };
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

/** Names in an archive are absolute: what was captured elsewhere must not come back there unseen. */
function refuseElsewhere(placements: readonly Placement[], destination: TargetOf<'files'>): void {
  const own = placesOf(destination).map(({ place }) => place);
  const stray = placements.find(
    ({ rootPlace }) => !own.some((place) => rootPlace === place || isBelow(rootPlace, place)),
  );
  if (stray === undefined) return;
  throw guardError(
    `cannot restore ${quoteName(stray.rootPlace)}: it was captured there, and the target's paths are now ${own.map(quoteName).join(', ')}`,
    { hint: '`--into root=/` brings it back to where it was captured, `--into root=FOLDER` below a folder' },
  );
}

function refuseOccupied({ place }: Placement, mounts: Mounts, wasFinished: boolean): void {
  if (isFree(place, mounts)) return;
  throw guardError(`cannot restore ${quoteName(place)}: something stands there`, {
    hint: wasFinished
      ? 'an interrupted restore to this place was finished just now: see the warning for the snapshot it holds'
      : 'use `--mode replace` or `--mode merge`, or restore elsewhere with `--into root=…`',
  });
}
