import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where rebuildable things are kept: `$XDG_CACHE_HOME/bkp`, else below the user's home. */
export function cacheDirectory(): string {
  const { XDG_CACHE_HOME: xdg } = process.env;
  return join(xdg !== undefined && xdg !== '' ? xdg : join(homedir(), '.cache'), 'bkp');
}
