import manifest from '../package.json' with { type: 'json' };

/** The version of this bkp, as in package.json. */
export const BKP_VERSION: string = manifest.version;
