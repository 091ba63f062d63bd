#!/usr/bin/env node
// npm test: builds, starts one PostgreSQL (and Redis where there is one) for all test files, runs them in parallel with Node's own
// runner, and ends with a plain count line. `npm test -- orders refund` runs the files whose path contains one of the words;
// `npm test -- --redis` runs the flows once more, with the queue in Redis instead of PostgreSQL.
import { randomUUID } from 'node:crypto';
import { accessSync, constants, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { build } from './build.mjs';
import { testProcesses } from './test-processes.mjs';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
// Most of a process's time is waiting for databases and timers, so more of them than cores run at once.
const processConcurrency = 4;
// No process needs more than a fraction of this; without a limit one hanging file would hang the run.
const processTimeoutMs = 480_000;

// A run needs 155 MB there at once.
const ENOUGH_MEMORY_BYTES = 2 * 1024 ** 3;

/** To bundle takes as long as two processes take longer without. */
const ENOUGH_TO_BUNDLE = 4;
/** Seen from dist/, in the folder that each run makes anew. */
const BUNDLED = join('test-processes', 'bundled');

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => interrupted.abort());

const isOnRedis = process.argv.includes('--redis');
const asked = process.argv.slice(2).filter((word) => word !== '--redis');
process.exitCode = await main(isOnRedis && asked.length === 0 ? ['test/flows/'] : asked);

async function main(words) {
  const tally = { passed: 0, failed: 0, skipped: [] };
  try {
    await build();
    const files = specFiles(words);
    await withServices((services) => runFiles(files, services, tally));
  } catch (error) {
    console.error(interrupted.signal.aborted ? '\nInterrupted.' : `\n${error.stack ?? error}`);
    tally.failed += 1;
  }
  return report(tally);
}

function specFiles(words) {
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    // What an earlier run has bundled is no source.
    .filter((file) => file.endsWith('.spec.js') && !file.startsWith(BUNDLED))
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
    .sort();
  if (files.length === 0)
    throw new Error(words.length ? `No test file has ${words.join(' or ')} in its path.` : 'There are no test files.');
  return files.map((file) => join(dist, file));
}

async function runFiles(files, services, tally) {
  console.log(`test   ${files.length} files, ${services}\n`);
  const { modules: separate, shared } = testProcesses(files, dist);
  const modules = separate.length < ENOUGH_TO_BUNDLE ? separate : await bundled(separate);
  const silent = new Set(shared.map(sourceOf));
  const events = run({ files: modules, concurrency: processConcurrency, timeout: processTimeoutMs, signal: interrupted.signal });
  events.on('test:pass', (test) => {
    if (test.details.type !== 'suite') silent.delete(sourceOf(test.file));
    countPassed(test, tally);
  });
  events.on('test:fail', (test) => {
    silent.delete(test.details.type === 'suite' ? test.name : sourceOf(test.file));
    // A suite whose tests failed is no failure of its own; one whose hook failed is.
    if (test.details.error?.failureType !== 'subtestsFailed') tally.failed += 1;
  });
  const lines = events.compose(new spec());
  for await (const line of lines) process.stdout.write(line);
  interrupted.signal.throwIfAborted();
  for (const file of silent) countEmpty(file, tally);
}

/** The same modules with all they load in a few files, or as they are where one of them cannot be loaded: its process then says why. */
async function bundled(modules) {
  const { bundleTests } = await import(join(dist, 'tools/bundle.js'));
  try {
    return await bundleTests(modules, dist, join(dist, BUNDLED));
  } catch (error) {
    console.log(`test   not bundled: ${error.message}\n`);
    return modules;
  }
}

function countPassed(test, tally) {
  const where = sourceOf(test.file);
  if (test.skip !== undefined || test.todo !== undefined) {
    const reason = [test.skip, test.todo].find((given) => typeof given === 'string' && given) ?? 'no reason given';
    tally.skipped.push(`${test.name}  (${reason})  ${where}`);
  } else if (test.name === test.file) {
    // So the runner reports a file that ended well without having run any test.
    countEmpty(where, tally);
  } else if (test.details.type !== 'suite') {
    tally.passed += 1;
  }
}

/** The path of a test file as its author knows it, whether the runner speaks of the source or of what was made of it. */
function sourceOf(file = '') {
  return relative(root, file)
    .replace(BUNDLED, '')
    .replace(/^dist[/\\]+/, '')
    .replace(/\.js$/, '.ts');
}

function countEmpty(file, tally) {
  console.log(`✖ ${file} contains no test`);
  tally.failed += 1;
}

/** Starts what the test files share, tells them by environment, and stops it whatever happens. */
async function withServices(use) {
  const { startEmbeddedPostgres } = await import(join(dist, 'tools/embedded-postgres.js'));
  const { findProgram, startRedis } = await import(join(dist, 'tools/test-services.js'));
  const given = { postgres: process.env.DATABASE_URL, redis: process.env.REDIS_URL };
  forgetSettings();
  const folder = mkdtempSync(join(roomFolder(), 'oncepay-test-'));
  const started = [];
  try {
    const postgres = given.postgres
      ? { url: new URL('/', given.postgres).href }
      : await startEmbeddedPostgres({ dataDir: join(folder, 'pg'), durable: false });
    if (postgres.stop) started.push(postgres);
    const redis = given.redis ? { url: given.redis } : await startRedis(join(folder, 'redis'));
    if (redis?.stop) started.push(redis);
    const chromium = findProgram(['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']);

    process.env.NODE_ENV = 'test';
    process.env.ONCEPAY_TEST_RUN_ID = randomUUID().replaceAll('-', '');
    process.env.ONCEPAY_TEST_POSTGRES_URL = postgres.url;
    if (redis) process.env.ONCEPAY_TEST_REDIS_URL = redis.url;
    if (isOnRedis && !redis) throw new Error('--redis needs a redis-server here, or REDIS_URL.');
    if (isOnRedis) process.env.ONCEPAY_TEST_QUEUE = 'redis';
    if (chromium) process.env.ONCEPAY_TEST_CHROMIUM = chromium;
    if (!redis) console.log('\nNO REDIS: there is no redis-server here and REDIS_URL is not set. The Redis suites are SKIPPED.');
    if (!chromium) console.log('\nNO CHROMIUM: no browser was found. The browser suites are SKIPPED.');
    await use(
      [given.postgres ? 'your PostgreSQL' : 'bundled PostgreSQL', redis ? 'Redis' : 'no Redis', chromium ? 'Chromium' : 'no Chromium'].join(
        ', ',
      ),
    );
  } finally {
    for (const service of started.reverse()) await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Where the databases of the tests lie: in memory where there is plenty, as to make and drop the 300 files of each is a fifth of
 * PostgreSQL's work here.
 */
function roomFolder() {
  const inMemory = '/dev/shm';
  try {
    accessSync(inMemory, constants.W_OK);
    const { bavail, bsize } = statfsSync(inMemory);
    return bavail * bsize >= ENOUGH_MEMORY_BYTES ? inMemory : tmpdir();
  } catch {
    return tmpdir();
  }
}

/** The tests set what they need. What the caller's shell holds (a live Stripe key, say) must not reach them. */
function forgetSettings() {
  for (const name of Object.keys(process.env)) {
    if (
      /^(ONCEPAY|STRIPE|SIMULATOR|IDEMPOTENCY|ORDER)_|^(DATABASE_URL|DATABASE_DIRECT_URL|REDIS_URL|PORT|ADMIN_PORT|MIGRATE_ON_START)$/.test(
        name,
      )
    ) {
      delete process.env[name];
    }
  }
}

function report({ passed, failed, skipped }) {
  if (skipped.length) console.log(`\nSKIPPED, not proven by this run:\n${skipped.map((line) => `  - ${line}`).join('\n')}`);
  console.log(`\n${passed} passed, ${failed} failed${skipped.length ? `, ${skipped.length} skipped` : ''}`);
  return failed > 0 || passed === 0 ? 1 : 0;
}
