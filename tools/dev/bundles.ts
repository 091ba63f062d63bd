import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The compiled file is dist/tools/dev/bundles.js. */
const DIST = resolve(import.meta.dirname, '../..');
const FOLDER = join(DIST, 'bundles');

/**
 * The folder where API and worker lie as one file each: to find and load their 2,200 modules takes two thirds of their start. Written
 * once for each build, in two seconds; null where that cannot be done: their modules do as well.
 */
export async function bundledApps(): Promise<string | null> {
  try {
    const folder = join(FOLDER, buildOf());
    // A build that changes anything removes the files and leaves their folder.
    if (existsSync(join(folder, 'api.cjs'))) return folder;
    mkdirSync(FOLDER, { recursive: true });
    const draft = mkdtempSync(join(FOLDER, 'draft-'));
    try {
      const { bundleApps } = await import('../bundle.js');
      await bundleApps(dirname(DIST), ['api', 'worker'], draft);
      renameSync(draft, folder);
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
    return folder;
  } catch {
    return null;
  }
}

/** What `tools/build.mjs` knows the present build by. */
function buildOf(): string {
  return createHash('sha256')
    .update(readFileSync(join(DIST, '.build.json')))
    .digest('hex')
    .slice(0, 16);
}
