#!/usr/bin/env node
// npm run build: the Prisma client from prisma/schema.prisma, then everything TypeScript into dist/. Each step is skipped when
// the contents it depends on are the same as last time, so that start and test can call it always.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
const stampFile = join(dist, '.build.json');
/** The checkout page runs in browsers, so it has their types instead of Node's. */
const pageProject = 'clients/checkout-page/tsconfig.json';
const projects = {
  everything: { config: 'tsconfig.json', memory: '.tsbuildinfo' },
  /** What `npm start` needs: half of all code is tests, and nobody who waits for the first order waits for them. */
  product: { config: 'tsconfig.product.json', memory: '.tsbuildinfo-product' },
};
/** To tidy less often takes the compiler a tenth less of a processor, and hardly more memory. */
const COMPILER_MEMORY = { GOGC: '400' };
const generatedClient = join(root, 'libs/database/src/generated/client.ts');

/**
 * Brings dist/ up to date, tells `log` about each step, and answers whether any was needed. Rejects with the tool's own output
 * when a step fails; the next call then tries again. `what` says how much of it: 'product' leaves the tests alone.
 */
export async function build(log = console.log, what = 'everything') {
  if (!existsSync(join(root, 'node_modules/typescript7'))) throw new Error('Dependencies are missing: run `npm ci` first.');
  const last = readStamp();
  const isFirst = Object.keys(last).length === 0;

  const schema = fingerprint([join(root, 'prisma/schema.prisma'), join(root, 'node_modules/prisma/package.json')]);
  if (schema !== last.schema || !existsSync(generatedClient)) {
    await timed(log, 'Prisma client', () =>
      run(process.execPath, ['node_modules/prisma/build/index.js', 'generate'], { CHECKPOINT_DISABLE: '1' }),
    );
    writeStamp({ schema });
    delete last.everything;
    delete last.product;
  }

  const all = typescriptSources();
  const product = all.filter((path) => !isTest(path));
  const sources = what === 'product' ? product : all;
  const settings = ['tsconfig.json', 'tsconfig.product.json', pageProject, 'package.json', 'node_modules/.package-lock.json'];
  const fingerprintOf = (files) => fingerprint([...settings.map((file) => join(root, file)), ...files]);
  const code = fingerprintOf(sources);
  const isComplete = outputsOf(sources).every((output) => existsSync(output));
  if (code === last[what] && isComplete) return false;

  // The compiler's incremental memory does not notice outputs that somebody removed.
  if (!isComplete) for (const memory of [projects[what].memory, '.tsbuildinfo-page']) rmSync(join(dist, memory), { force: true });
  // What was committed had been checked, and a newcomer waits. What is changed here afterwards is checked, with all the rest.
  const isTrusted = isFirst && what === 'product';
  const options = [...(process.stdout.isTTY ? ['--pretty'] : []), ...(isTrusted ? ['--noCheck'] : [])];
  const compiler = await compilerProgram();
  const compile = (project) => run(compiler, ['-p', project, ...options], COMPILER_MEMORY);
  await timed(log, `TypeScript, ${sources.length} files`, () => Promise.all([compile(projects[what].config), compile(pageProject)]));
  removeOrphans(all);
  writeStamp(what === 'product' ? { ...last, schema, product: code } : { schema, everything: code, product: fingerprintOf(product) });
  return true;
}

/** Every .ts file that tsconfig.json includes, and those of the checkout page. */
function typescriptSources() {
  const { include } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  const isSource = (path) => /\.[cm]?ts$/.test(path) && !path.includes('node_modules');
  return [...include, 'clients/checkout-page/src']
    .map((entry) => join(root, entry))
    .filter((path) => existsSync(path))
    .flatMap((path) => (isSource(path) ? [path] : filesBelow(path).filter(isSource)))
    .sort();
}

function isTest(path) {
  return path.endsWith('.spec.ts') || path.startsWith(join(root, 'test/'));
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

function outputsOf(sources) {
  return sources.filter((source) => !source.endsWith('.d.ts')).map((source) => join(dist, relative(root, source)).replace(/ts$/, 'js'));
}

/** A deleted source must not live on in dist/, where the tests would still find its spec. */
function removeOrphans(sources) {
  const wanted = new Set(outputsOf(sources));
  for (const file of filesBelow(dist)) {
    if (/\.[cm]?js(\.map)?$/.test(file) && !wanted.has(file.replace(/\.map$/, ''))) rmSync(file);
  }
}

function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const content = existsSync(file) ? readFileSync(file) : '';
    hash.update(`${relative(root, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    return {};
  }
}

function writeStamp(stamp) {
  mkdirSync(dist, { recursive: true });
  writeFileSync(stampFile, JSON.stringify(stamp));
}

async function timed(log, what, step) {
  const startedAt = performance.now();
  await step();
  log(`build  ${what}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

/** The native program itself: the `tsc` of the package is a Node process that waits for it. */
async function compilerProgram() {
  const { default: programPath } = await import(pathToFileURL(join(root, 'node_modules/typescript7/lib/getExePath.js')).href);
  return programPath();
}

function run(program, args, env) {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', fail);
    child.on('close', (code) =>
      code === 0 ? done() : fail(new Error(`\`${[basename(program), ...args].join(' ')}\` failed:\n${output.trimEnd()}`)),
    );
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const startedAt = performance.now();
  try {
    if (!(await build())) console.log(`build  nothing changed (${Math.round(performance.now() - startedAt)} ms)`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
