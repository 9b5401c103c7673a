import { BkpError } from '../../../errors.ts';

export type Settings = Readonly<Record<string, string | null>>;

/** What has no place while an index is filled: it would move, change or refuse what comes in, or act on it by itself. */
const LATER =
  /^index\.(?:blocks\..*|default_pipeline|final_pipeline|lifecycle\..*|plugins\..*|opendistro\..*|routing\.allocation\..*|auto_expand_replicas|number_of_replicas|refresh_interval|hidden|write\.wait_for_active_shards)$/;

/** Set by newer servers for themselves: what they mean elsewhere nobody else knows. */
const OF_PRODUCT = /^index\.routing\.allocation\.include\._tier_preference$/;

/** The settings that an index is filled with. */
export const whileFilled = (captured: Settings): Settings => ({
  ...Object.fromEntries(Object.entries(captured).filter(([key]) => !LATER.test(key))),
  'index.number_of_replicas': '0',
  'index.refresh_interval': '-1',
  'index.hidden': 'true',
});

/** The settings that it gets when it takes its place. */
export const inPlace = (captured: Settings): Settings =>
  Object.fromEntries(Object.entries(captured).filter(([key]) => LATER.test(key) && !OF_PRODUCT.test(key)));

/** What it was filled with and has not got in its place: nulls, which take a setting away. */
export const leftovers = (captured: Settings): Settings =>
  Object.fromEntries(
    ['index.refresh_interval', 'index.hidden', 'index.blocks.write']
      .filter((key) => typeof captured[key] !== 'string')
      .map((key) => [key, null]),
  );

/**
 * Tries with settings; leaves out, and tells, those that the server does not know. Each refusal names the one that it is
 * about.
 */
export async function withKnownSettings(
  settings: Settings,
  trial: (settings: Settings) => Promise<unknown>,
  onUnknown: (setting: string) => void,
): Promise<void> {
  let left: Settings = settings;
  for (;;) {
    try {
      await trial(left);
      return;
    } catch (error) {
      const unknown = error instanceof BkpError ? unknownOf(error.message, left) : undefined;
      if (unknown === undefined) throw error;
      onUnknown(unknown);
      left = Object.fromEntries(Object.entries(left).filter(([key]) => key !== unknown));
    }
  }
}

/** The setting that a refusal is about. */
function unknownOf(message: string, settings: Settings): string | undefined {
  if (!/unknown setting|private index setting|can not be set|no longer supported|unknown value/.test(message))
    return undefined;
  return [...message.matchAll(/\[(index\.[^\]]+)\]/g)].map(([, name = '']) => name).find((name) => name in settings);
}
