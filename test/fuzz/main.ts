import { randomInt, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '../../tools/embedded-postgres.js';
import { showProgress } from '../storm/progress.js';
import { type Figures, fuzz } from './fuzz.js';

/** `npm run fuzz -- --requests 20000 --seed 1`: exit code 1 when an answer is not what it must be. */
const { values } = parseArgs({
  options: { requests: { type: 'string', default: '20000' }, seed: { type: 'string' }, path: { type: 'string' } },
});
const requests = Number(values.requests);
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
if (!Number.isInteger(requests) || requests < 1 || !Number.isInteger(seed))
  throw new Error('--requests must be a positive integer, --seed an integer');

const startedAt = performance.now();
const folder = mkdtempSync(join(tmpdir(), 'oncepay-fuzz-'));
const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'pg'), durable: false });
process.env['NODE_ENV'] = 'test';
process.env['ONCEPAY_TEST_RUN_ID'] = randomUUID().replaceAll('-', '');
process.env['ONCEPAY_TEST_POSTGRES_URL'] = postgres.url;

let figures: Figures = { sent: 0, byStatus: new Map(), succeeded: new Set() };
const told = (): string => {
  const statuses = [...figures.byStatus].toSorted(([a], [b]) => a - b).map(([status, count]) => `${count} × ${status}`);
  return `fuzz   ${figures.sent} of ${requests} requests, ${Math.round((performance.now() - startedAt) / 1_000)} s: ${statuses.join(', ')}`;
};
console.log(`fuzz   seed ${seed}`);
const endProgress = showProgress(told);
try {
  figures = await fuzz({ requests, seed, path: values.path, onProgress: (now) => (figures = now) });
  endProgress();
  console.log(`${told()}\nfuzz   every answer was as it must be, and there are exactly the rows that were acknowledged (seed ${seed})`);
} catch (error) {
  endProgress();
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
