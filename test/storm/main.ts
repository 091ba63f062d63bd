import { randomInt } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CALM_PACE, DENSE_PACE, USUAL_PACE } from './chaos.js';
import { OWN_ROOT } from './fleet.js';
import { showProgress } from './progress.js';
import { repeatCommand, report, unseenRules } from './report.js';
import { forget, runStorm, type StormOptions, USUAL_ORDERS_PER_SECOND } from './storm.js';

/** `npm run storm -- --minutes 20 --seed 1 --backend redis`: exit code 1 when a rule is broken. */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string' },
    backend: { type: 'string', default: 'postgres' },
    rate: { type: 'string', default: String(USUAL_ORDERS_PER_SECOND) },
    dense: { type: 'boolean', default: false },
    calm: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
const [minutes, ordersPerSecond] = [Number(values.minutes), Number(values.rate)];
if (!(minutes > 0) || !(ordersPerSecond > 0) || !Number.isInteger(seed))
  throw new Error('--minutes and --rate must be positive numbers, --seed an integer');
if (values.backend !== 'postgres' && values.backend !== 'redis') throw new Error('--backend must be postgres or redis');

const options: Omit<StormOptions, 'onProgress'> = {
  minutes,
  seed,
  backend: values.backend,
  folder: mkdtempSync(join(tmpdir(), 'oncepay-storm-')),
  root: OWN_ROOT,
  sql: null,
  ordersPerSecond,
  pace: values.dense ? DENSE_PACE : values.calm ? CALM_PACE : USUAL_PACE,
};
console.log(`storm  ${repeatCommand(options)}`);
let endProgress = (): void => undefined;
try {
  const onProgress = (state: () => string): void => {
    const startedAt = Date.now();
    endProgress = showProgress(() => `${state()}, ${Math.round((Date.now() - startedAt) / 1_000)} s`);
  };
  const result = await runStorm({ ...options, onProgress });
  endProgress();
  console.log(report({ ...options, onProgress }, result));
  const isBroken = result.verdicts.some(({ violations }) => violations.length > 0) || unseenRules(options, result).length > 0;
  process.exitCode = isBroken ? 1 : 0;
  if (!isBroken && !values.keep) forget(options);
} catch (error) {
  endProgress();
  console.error(error);
  console.error(
    `storm  FAILED before it could judge, seed ${seed}\n       again: ${repeatCommand(options)}\n       logs:  ${options.folder}`,
  );
  process.exitCode = 1;
}
process.exit();
