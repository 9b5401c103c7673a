#!/usr/bin/env node
// Old syntax on purpose: an older Node must get this far to say what is wrong.
'use strict';
var version = process.versions.node.split('.').map(Number);
if (version[0] < 22 || (version[0] === 22 && version[1] < 15)) {
  process.stderr.write('bkp needs Node.js 22.15 or newer; this is ' + process.version + '.\n');
  process.exitCode = 1;
} else {
  require('node:module').enableCompileCache();
  void import('./cli.ts');
}
