import { BkpError, EXIT, reasonOf, type ExitCode } from '../errors.ts';
import { findSnapshot, type FoundSnapshot, type SnapshotPlace } from '../reconcile/find-snapshot.ts';
import { indexFolders, viewBackup } from '../reconcile/backup-view.ts';
import { findStored } from '../reconcile/find-stored.ts';
import { observeRepositories } from '../reconcile/observe-repositories.ts';
import { requireManifest, unsignedNow } from '../reconcile/require-manifest.ts';
import { stoppable, type Session } from '../reconcile/session.ts';
import { shareCatalogs } from '../reconcile/share-catalogs.ts';
import { askServers } from '../reconcile/verify-references.ts';
import { damageData, verifySnapshot } from '../reconcile/verify-snapshot.ts';
import { formatVerdicts, type Verdict } from '../report/verdicts-text.ts';
import { addMark } from '../snapshots/marks.ts';
import type { CommandRun } from './command.ts';
import { sayUnreadable } from './list.ts';
import type { OptionValues } from './option-values.ts';
import { knownBackup } from './plan-options.ts';
import { workReporter } from './reporters.ts';
import { withRepositorySession } from './repository-session.ts';

/** Hashes stored snapshots, or lets the engines read them whole, and marks what was found where it may. */
export const verifyCommand: CommandRun = async ([reference], options, environment) => {
  const { terminal } = environment;
  const json = options.text('format') === 'json';
  return withRepositorySession(options, environment, workReporter(options, environment), async (session) => {
    const observation = await observeRepositories(session);
    const wanted =
      reference === undefined
        ? everySnapshot(session, observation, options)
        : [await findStored(session, observation, reference)];
    const verdicts = await verifyAll(session, wanted, options.flag('deep'), reference === undefined);
    await shareCatalogs(session);
    if (json) terminal.out(`${JSON.stringify({ formatVersion: 1, verified: verdicts }, null, 2)}\n`);
    else terminal.out(formatVerdicts(verdicts, terminal.paint));
    return exitCode(verdicts, sayUnreadable(observation, terminal), session);
  });
};

/**
 * One verdict for each place. Of all snapshots some may be encrypted for others than the identities at hand: then their
 * bytes are hashed only. Throws where not one can be opened.
 */
async function verifyAll(
  session: Session,
  wanted: readonly FoundSnapshot[],
  deep: boolean,
  some: boolean,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  const sealed: { readonly found: FoundSnapshot; readonly place: SnapshotPlace; readonly refusal: BkpError }[] = [];
  for (const found of wanted) {
    for (const place of found.places) {
      try {
        verdicts.push(await verifyPlace(session, found, place, deep));
      } catch (error) {
        if (!some || !(error instanceof BkpError) || error.code !== 'usage') throw error;
        sealed.push({ found, place, refusal: error });
      }
    }
  }
  const [first] = sealed;
  if (first !== undefined && verdicts.length === 0) throw first.refusal;
  for (const { found, place, refusal } of sealed)
    verdicts.push({
      ...(await verifyPlace(session, found, place, false)),
      unread: refusal.message.replace(/^[^:]*: /, ''),
    });
  return verdicts;
}

function exitCode(verdicts: readonly Verdict[], incomplete: boolean, session: Session): ExitCode {
  if (session.signal.aborted) return EXIT.interrupted;
  if (verdicts.some((verdict) => !verdict.ok)) return EXIT.failed;
  return incomplete || verdicts.some(({ unread }) => unread !== undefined) ? EXIT.partly : EXIT.done;
}

function everySnapshot(
  session: Session,
  observation: Awaited<ReturnType<typeof observeRepositories>>,
  options: OptionValues,
): readonly FoundSnapshot[] {
  const names = options.list('backup').map((name) => knownBackup(session.policy, name));
  const backups = session.policy.backups.filter((backup) => names.length === 0 || names.includes(backup.name));
  const folders = indexFolders(observation);
  return backups.flatMap((backup) => {
    const view = viewBackup(session.policy, backup, folders);
    const ids = new Set(
      view.repositories.flatMap(({ snapshots, unsigned }) => [...snapshots.keys(), ...unsigned.keys()]),
    );
    return [...ids].toSorted().map((id) => findSnapshot(session, observation, `${backup.name}@${id}`));
  });
}

async function verifyPlace(
  session: Session,
  found: FoundSnapshot,
  place: SnapshotPlace,
  deep: boolean,
): Promise<Verdict> {
  const { backup, id, policy } = place.record;
  const snapshot = `${found.backup.name}@${id}`;
  session.signal.throwIfAborted();
  const looked = await lookAt(session, place, deep);
  const unsigned = await unsignedNow(place.repository, place.record, session.context);
  const { damaged } = looked;
  const kind = damaged.length === 0 ? ('verified' as const) : ('damaged' as const);
  const data = damaged.length === 0 ? { deep } : damageData(looked);
  try {
    // Nothing vouches for what does not count.
    if (unsigned === null) await addMark(place.repository, { backup, id, policy, kind, data }, null, session.context);
  } catch (error) {
    if (!(error instanceof BkpError)) throw error;
    session.context.emit({ type: 'warning', message: `the result is not remembered: ${reasonOf(error)}` });
  }
  return {
    snapshot,
    repository: place.name,
    ok: damaged.length === 0 && unsigned === null,
    deep,
    reasons: [...damaged.map(({ reason }) => reason), ...(unsigned === null ? [] : [unsigned])],
  };
}

async function lookAt(session: Session, place: SnapshotPlace, deep: boolean): ReturnType<typeof verifySnapshot> {
  try {
    const manifest = await requireManifest(place.repository, place.record);
    return await verifySnapshot(
      place.repository,
      manifest,
      place.record.backup,
      deep,
      session.policy,
      stoppable(session),
      askServers(session),
    );
  } catch (error) {
    if (error instanceof BkpError && error.code === 'integrity')
      return { damaged: [{ key: 'manifest', reason: error.message }], isDeep: false };
    throw error;
  }
}
