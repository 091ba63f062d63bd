#!/usr/bin/env node
// npm start: checks Node, builds what changed, then hands over to tools/dev/start.ts.
// Until the check has passed this file uses only what old Node versions understand, so that they can say what is wrong.
import { readFileSync } from 'fs';

const { version, engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
// Packages that are ES modules are loaded by ones that are not; 21.x and 22.0 to 22.11 cannot do that, nor can anything before 20.19.
if (!process.features.require_module) {
  console.error(`Oncepay needs Node.js ${engines.node.replace('>=', '')} or newer (of Node 22: 22.12). This is ${process.version}.`);
  process.exit(1);
}

console.log(`oncepay ${version}`);
try {
  const { build } = await import('./build.mjs');
  await build((line) => console.log(`  ${line}`), 'product');
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
const { start } = await import('../dist/tools/dev/start.js');
process.exit(await start(process.argv.slice(2)));
