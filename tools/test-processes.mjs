// Which test files share a process. Loading API and worker takes longer than most files' tests, so files of some folders are run one
// after another in one process, each as a suite of its own; what stands elsewhere has a process to itself.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const FILES_PER_PROCESS = [
  [/^(libs|apps)\//, 40],
  [/^test\/flows\//, 13],
  // One reading of Stripe's types, which takes seconds, does for all of them.
  [/^test\/contract\//, 13],
  [/^test\/simulator\//, 20],
  // But for those that take longest.
  [/^test\/faults\/(?!failpoints|processes|database-crash)/, 4],
];

/** What takes longest begins first, so that in the end nothing runs alone. */
const LONGEST = /^test\/(faults\/failpoints|model\/)/;

/** The modules that Node's runner starts, a process each, and the test files that share one of them. */
export function testProcesses(files, dist) {
  const folder = join(dist, 'test-processes');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const alone = files.filter((file) => limitOf(file, dist) === 1);
  const modules = alone.filter((file) => LONGEST.test(nameOf(file, dist)));
  const shared = [];
  for (const [pattern, limit] of FILES_PER_PROCESS) {
    const together = files.filter((file) => pattern.test(nameOf(file, dist)));
    // Dealt out, not cut: neighbours in the alphabet are often equally slow.
    const count = Math.ceil(together.length / limit);
    for (let n = 0; n < count; n += 1) {
      const group = together.filter((_, index) => index % count === n);
      const path = join(folder, `${String(modules.length).padStart(3, '0')}.js`);
      writeFileSync(path, moduleOf(group, dist));
      modules.push(path);
      shared.push(...group);
    }
  }
  return { modules: [...modules, ...alone.filter((file) => !modules.includes(file))], shared };
}

function limitOf(file, dist) {
  return FILES_PER_PROCESS.find(([pattern]) => pattern.test(nameOf(file, dist)))?.[1] ?? 1;
}

function nameOf(file, dist) {
  return relative(dist, file).split(sep).join('/');
}

function moduleOf(group, dist) {
  const suites = group.map((file) => {
    const source = nameOf(file, dist).replace(/\.js$/, '.ts');
    return `describe(${JSON.stringify(source)}, async () => {\n  await import(${JSON.stringify(file)});\n});`;
  });
  return `import { describe } from 'node:test';\n\n${suites.join('\n')}\n`;
}
