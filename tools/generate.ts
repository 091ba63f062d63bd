// npm run generate: writes what is derived from the sources and committed. With --check it writes nothing and fails if something is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { clientTypes } from './generate-client-types.js';
import { exampleEnvironment } from './generate-env-example.js';
import { openApiText } from './generate-openapi.js';
import { retentionPage } from './generate-retention.js';
import { statesPage } from './generate-states.js';

const ROOT = resolve(import.meta.dirname, '../..');
const isCheck = process.argv.includes('--check');

const openApi = await openApiText();
const generated = {
  '.env.example': exampleEnvironment(),
  'openapi.json': openApi,
  'docs/states.md': statesPage(),
  'docs/retention.md': retentionPage(),
  'clients/typescript/src/generated/api.ts': await clientTypes(openApi),
};
const stale = Object.entries(generated).filter(([name, text]) => present(name) !== text);
for (const [name, text] of isCheck ? [] : stale) writeFileSync(join(ROOT, name), text);
if (stale.length === 0) console.log('Generated files are up to date.');
else if (!isCheck) console.log(`Written: ${stale.map(([name]) => name).join(', ')}`);
else console.error(`Stale: ${stale.map(([name]) => name).join(', ')}. Run npm run generate and commit the result.`);
process.exitCode = isCheck && stale.length > 0 ? 1 : 0;

function present(name: string): string | null {
  try {
    return readFileSync(join(ROOT, name), 'utf8');
  } catch {
    return null;
  }
}
