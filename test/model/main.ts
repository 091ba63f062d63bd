import { randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { startEmbeddedPostgres } from '../../tools/embedded-postgres.js';
import { type Figures, replay } from './sequences.js';
import { type ThreadMessage, type ThreadPlan } from './thread.js';

/** `npm run model -- --sequences 10000 --seed 1`: as many sequences as wanted, on a PostgreSQL of their own and on every core. */
const { values } = parseArgs({
  options: {
    sequences: { type: 'string', default: '300' },
    seed: { type: 'string' },
    path: { type: 'string' },
    replay: { type: 'string' },
  },
});
const sequences = Number(values.sequences);
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
if (!Number.isInteger(sequences) || sequences < 1 || !Number.isInteger(seed))
  throw new Error('--sequences must be a positive integer, --seed an integer');

/** How often a line says how far it is. */
const TELL_EVERY = 20;

const startedAt = performance.now();
const seconds = (): number => Math.round((performance.now() - startedAt) / 1_000);
const folder = mkdtempSync(join(tmpdir(), 'oncepay-model-'));
const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'pg'), durable: false });
process.env['NODE_ENV'] = 'test';
process.env['ONCEPAY_TEST_RUN_ID'] = randomUUID().replaceAll('-', '');
process.env['ONCEPAY_TEST_POSTGRES_URL'] = postgres.url;
try {
  console.log(`model  seed ${seed}`);
  const { path, replay: replayPath } = values;
  const done = path === undefined ? await runInThreads() : await replay({ seed, path, replayPath });
  console.log(
    `model  ${done.sequences} of ${path === undefined ? sequences : 1} sequences, ${done.steps} steps, ${seconds()} s: every rule held (seed ${seed})`,
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  if (error instanceof Error && error.cause instanceof Error) console.error(`\n${error.cause.stack}`);
  process.exitCode = 1;
} finally {
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** One thread a core; they take blocks of sequences from one counter until none is left, or until one breaks a rule. */
async function runInThreads(): Promise<Figures> {
  const done = { sequences: 0, steps: 0 };
  const plan: ThreadPlan = { sequences, seed, blocks: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT) };
  const threads = Array.from(
    { length: availableParallelism() },
    () => new Worker(new URL('./thread.js', import.meta.url), { workerData: plan }),
  );
  const failures: Error[] = [];
  for (const thread of threads) {
    thread.on('message', (message: ThreadMessage) => {
      if ('failure' in message) {
        const cause = new Error();
        cause.stack = message.cause;
        failures.push(new Error(message.failure, { cause }));
        return;
      }
      done.sequences += 1;
      done.steps += message.steps;
      if (done.sequences % TELL_EVERY === 0)
        console.log(`model  ${done.sequences} of ${sequences} sequences, ${done.steps} steps, ${seconds()} s`);
    });
  }
  await Promise.all(threads.map((thread) => once(thread, 'exit')));
  const [failure] = failures;
  if (failure !== undefined) throw failure;
  if (done.sequences < sequences) throw new Error(`bug: only ${done.sequences} of ${sequences} sequences were run`);
  return done;
}
