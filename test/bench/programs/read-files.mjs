// Reads every manifest, one thread, synchronously: what any rebuild has to do.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [root] = process.argv.slice(2);
let bytes = 0;
for (const backup of readdirSync(root)) {
  for (const file of readdirSync(join(root, backup))) {
    const manifest = JSON.parse(readFileSync(join(root, backup, file), 'utf8'));
    bytes += Object.values(manifest.targets)[0].artifacts[0].storedBytes;
  }
}
if (!(bytes > 0)) process.exit(1);
