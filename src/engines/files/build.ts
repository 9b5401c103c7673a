import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Context } from '../../context.ts';
import type { IncomingArtifact } from '../engine.ts';
import type { ByteName } from './byte-name.ts';
import { createChoice } from './choice.ts';
import { compareTrees, type Comparison } from './compare-trees.ts';
import { createNameList } from './name-list.ts';
import { rescan } from './rescan.ts';
import { toolPath } from './tool-path.ts';
import { requireSpace, type Staging } from './staging.ts';
import { syncFileSystem } from './sync-disk.ts';
import { type ArchiveSurvey, surveyArchive } from './survey-archive.ts';
import { extractArgv, listedName } from './tar-argv.ts';
import { judgeExtraction } from './tar-messages.ts';
import { type TarProgram, tarProcess } from './tar-program.ts';
import type { TreeFacts } from './tree-counter.ts';

export interface BuildRequest {
  readonly artifact: IncomingArtifact;
  readonly survey: ArchiveSurvey;
  /** Names to extract, each with all below it; null for what was surveyed as a whole archive. */
  readonly names: readonly ByteName[] | null;
  readonly tar: TarProgram;
}

export interface Built extends Comparison {
  readonly facts: TreeFacts;
}

/** Extracts a part of an archive into a staging folder, puts it on the disk and compares it with the archive. */
export async function buildTree(request: BuildRequest, staging: Staging, context: Context): Promise<Built> {
  const { artifact, tar } = request;
  const asRoot = context.host.uid === 0;
  const names = request.names === null ? null : withLinkTargets(request.names, request.survey.hardLinks);
  const survey =
    names === null
      ? request.survey
      : await surveyArchive(artifact, { listFile: temporary(context), choice: createChoice(names) });
  const { traits, chosen } = survey;
  requireSpace(staging, chosen.dataBytes, asRoot);

  const said: string[] = [];
  const listFile =
    names === null
      ? null
      : writeNames(
          names.map((name) => listedName(tar, name)),
          temporary(context),
        );
  const argv = extractArgv(tar, { base: toolPath(staging.tree), listFile, asRoot, textAcls: traits.textAcls });
  await artifact.into({
    kind: 'process',
    process: tarProcess(tar, context, argv),
    judge: (end) => {
      const judgement = judgeExtraction(end);
      if (judgement.verdict !== 'failed') said.push(...judgement.warnings);
      return judgement;
    },
  });
  // The old state is given up after this: what replaces it must survive a power cut.
  await syncFileSystem(staging.folder, context);
  if (!asRoot && traits.unreadable > 0) {
    const warning = `${traits.unreadable} entries cannot be read back by this user: what was written was not compared`;
    return { facts: chosen.facts, isExact: false, warnings: [...said, warning] };
  }
  const found = await rescan(tar, { folder: staging.tree, listFile: survey.listFile }, context);
  const comparison = compareTrees(chosen, found, { asRoot, tar, traits });
  return { facts: found.facts, isExact: comparison.isExact, warnings: [...said, ...comparison.warnings] };
}

/** A hard link cannot be extracted without the entry that it shares its bytes with. */
function withLinkTargets(names: readonly ByteName[], hardLinks: ReadonlyMap<ByteName, ByteName>): readonly ByteName[] {
  const all = new Set(names);
  for (let before = -1; before !== all.size;) {
    before = all.size;
    const choice = createChoice(all);
    for (const [link, target] of hardLinks) {
      if (choice.coverOf(link) !== null && choice.coverOf(target) === null) all.add(target);
    }
  }
  return [...all];
}

function writeNames(names: readonly ByteName[], path: string): string {
  const list = createNameList(path);
  for (const name of names) list.add(name);
  list.close();
  return path;
}

const temporary = (context: Context): string => join(context.workDir, `files-${randomUUID()}.list`);
