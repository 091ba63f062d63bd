// How test files share processes. Loading API, worker and simulator takes longer than most files' tests, and code that has run for a
// while runs faster: so a few processes, the lanes, take one file after another from one list until none is left.
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { after, describe } from 'node:test';

/** What takes longest begins first, so that in the end no lane works alone. Of the others, the larger file usually takes longer. */
const LONGEST = [
  'test/faults/failpoints',
  'test/model/model',
  'test/start/start',
  'test/faults/processes',
  'test/flows/fuzz',
  'test/flows/currencies',
  'test/flows/two-hundred-orders',
  'test/tools/',
  'test/browser/',
  'test/faults/',
];

/** Writes the modules that Node's runner starts, a process each, to run these files. */
export function testLanes(files, dist, count) {
  const folder = join(dist, 'test-lanes');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const named = files.map((path) => ({ path, name: relative(dist, path).split(sep).join('/').replace(/\.js$/, '.ts') }));
  const rank = ({ name }) => [...LONGEST, ''].findIndex((start) => name.startsWith(start));
  const list = named.toSorted((a, b) => rank(a) - rank(b) || statSync(b.path).size - statSync(a.path).size);
  const text = `import { runLane } from ${JSON.stringify(import.meta.filename)};\n\nawait runLane(${JSON.stringify(list, null, 2)}, import.meta.dirname);\n`;
  return Array.from({ length: Math.min(count, list.length) }, (_, index) => {
    const path = join(folder, `lane-${index + 1}.js`);
    writeFileSync(path, text);
    return path;
  });
}

/** Runs, each as a suite of its own, the files that no other lane has taken. */
export async function runLane(list, folder) {
  for (const [index, { path, name }] of list.entries()) {
    if (!take(join(folder, `taken-${index}`))) continue;
    await new Promise((ended) => {
      describe(name, async () => {
        try {
          await import(path);
          // The last hook of its suite.
          after(() => ended());
        } catch (error) {
          setImmediate(ended);
          throw error;
        }
      });
    });
  }
}

/** Of all who ask for the same mark, one gets it: making a folder is atomic. */
function take(mark) {
  try {
    mkdirSync(mark);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}
