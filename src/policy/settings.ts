/** Keys that every target has and that bkp itself reads while planning: no references, and nothing for `into`. */
export const SETTINGS: readonly string[] = ['type', 'formerly', 'compression', 'compressionLevel', 'checks'];
