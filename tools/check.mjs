#!/usr/bin/env node
// npm run check: everything that must hold before a change is merged, each step with its time, all of them even when one fails.
// npm run check:fast leaves out what needs a database or minutes; `npm run check -- --without-tests` leaves out the tests alone.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from './build.mjs';

const root = resolve(import.meta.dirname, '..');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const fast = [
  ['types', () => build(() => {})],
  ['format', () => tool('oxfmt/bin/oxfmt', '--list-different')],
  ['lint', () => tool('oxlint/bin/oxlint')],
  ['arrows', () => npmRun('arrows')],
  ['dead code', () => tool('knip/bin/knip.js', '--no-progress', '--no-config-hints')],
  ['tidy', () => node('--test', '--test-reporter=spec', 'dist/test/tidy.spec.js')],
  ['lock', checkLock],
];
const slow = [
  ['generated files', checkGeneratedFiles],
  ['migrations', checkMigrations],
];
const tests = ['tests', () => run('npm', ['test'], { stdio: 'inherit' })];

const startedAt = performance.now();
const failed = [];
const asked = (flag) => process.argv.includes(flag);
const steps = asked('--fast') ? fast : asked('--without-tests') ? [...fast, ...slow] : [...fast, ...slow, tests];
for (const [name, step] of steps) await attempt(name, step);
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
console.log(failed.length ? `\nchecks FAILED after ${seconds} s: ${failed.join(', ')}` : `\nchecks passed in ${seconds} s`);
process.exitCode = failed.length ? 1 : 0;

async function attempt(name, step) {
  const stepStartedAt = performance.now();
  let complaint;
  try {
    await step();
  } catch (error) {
    complaint = error.message;
    failed.push(name);
  }
  const time = `${((performance.now() - stepStartedAt) / 1000).toFixed(1)} s`.padStart(8);
  console.log(`check  ${complaint === undefined ? 'ok    ' : 'FAILED'} ${time}  ${name}`);
  if (complaint) console.log(complaint.trimEnd().replace(/^/gm, '    '));
}

async function checkLock() {
  await node('tools/lock-stubs.mjs', '--check');
  await run('npm', ['ci', '--dry-run', '--ignore-scripts', '--loglevel=error']);
}

/** What `npm run generate` writes is committed, so running it again must change nothing. */
async function checkGeneratedFiles() {
  if (!scripts.generate) return;
  const changes = () =>
    spawnSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' }).stdout +
    spawnSync('git', ['diff'], { cwd: root, encoding: 'utf8' }).stdout;
  const before = changes();
  await npmRun('generate');
  if (changes() !== before) throw new Error('`npm run generate` changed files: commit its result.');
}

/** The migrations, played into an empty database, must give exactly prisma/schema.prisma. */
async function checkMigrations() {
  const { startEmbeddedPostgres } = await import(join(root, 'dist/tools/embedded-postgres.js'));
  const folder = mkdtempSync(join(tmpdir(), 'oncepay-check-'));
  const server = await startEmbeddedPostgres({ dataDir: join(folder, 'pg'), durable: false });
  try {
    const env = { ...process.env, DATABASE_URL: `${server.url}postgres`, CHECKPOINT_DISABLE: '1' };
    const diff = ['migrate', 'diff', '--from-migrations', 'prisma/migrations', '--to-schema', 'prisma/schema.prisma', '--exit-code'];
    await run(process.execPath, ['node_modules/prisma/build/index.js', ...diff], { env });
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function tool(path, ...args) {
  return node(join('node_modules', path), ...args);
}

function node(...args) {
  return run(process.execPath, args);
}

function npmRun(script) {
  return run('npm', ['run', '--silent', script]);
}

function run(command, args, options = {}) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', fail);
    child.on('close', (code) => (code === 0 ? done() : fail(new Error(output))));
  });
}
