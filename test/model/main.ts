import { randomInt, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '../../tools/embedded-postgres.js';
import { type Figures, runSequences } from './sequences.js';

/** `npm run model -- --sequences 10000 --seed 1`: as many sequences as wanted, on a PostgreSQL of their own. */
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

const folder = mkdtempSync(join(tmpdir(), 'oncepay-model-'));
const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'pg'), durable: false });
process.env['NODE_ENV'] = 'test';
process.env['ONCEPAY_TEST_RUN_ID'] = randomUUID().replaceAll('-', '');
process.env['ONCEPAY_TEST_POSTGRES_URL'] = postgres.url;
const startedAt = performance.now();
const seconds = (): string => ((performance.now() - startedAt) / 1_000).toFixed(0);
const show = (done: Figures): string => `${done.sequences} of ${sequences} sequences, ${done.steps} steps, ${seconds()} s`;
try {
  console.log(`model  seed ${seed}`);
  const isReplay = values.path !== undefined;
  const done = await runSequences({
    sequences: isReplay ? 1 : sequences,
    seed,
    path: values.path,
    replayPath: values.replay,
    onProgress: (figures) => {
      if (figures.sequences % 20 === 0) console.log(`model  ${show(figures)}`);
    },
  });
  console.log(`model  ${show(done)}: every rule held (seed ${seed})`);
} catch (error) {
  console.error(error instanceof Error ? `${error.message}\n\n${error.cause instanceof Error ? error.cause.stack : ''}` : error);
  process.exitCode = 1;
} finally {
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}
