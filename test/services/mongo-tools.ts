import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildGoProgram } from './go-program.ts';

const MODULE = 'github.com/mongodb/mongo-tools';
const VERSION = 'v0.0.0-20250715155915-887641268977';

/** The checksums of this version: the database of checksums does not know every commit of a module without releases. */
const CHECKSUMS = `${MODULE} ${VERSION} h1:J9wFLko0N7sbovyHahuRw1NyfMUsNhaauLK87wQ3ruc=
${MODULE} ${VERSION}/go.mod h1:LnygXPEsw45G6DSmJmA9pLaNBXL8GblrFlKiSY3YNyY=
`;

/** MongoDB's own mongodump or mongorestore, from the source of July 2025. */
export const installMongoTool = (name: 'mongodump' | 'mongorestore', folder: string): Promise<string> =>
  buildGoProgram(name, folder, async (go) => {
    const module = join(go.into, 'module');
    mkdirSync(module);
    writeFileSync(join(module, 'go.mod'), `module tools\n\ngo 1.24\n\nrequire ${MODULE} ${VERSION}\n`);
    writeFileSync(join(module, 'go.sum'), CHECKSUMS);
    const output = ['-o', join(go.into, name)];
    await go.run(['build', '-mod=mod', '-ldflags=-s -w', ...output, `${MODULE}/${name}/main`], module);
  });
