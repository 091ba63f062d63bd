import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DENSE_PACE } from './chaos.js';
import { type Backend, OWN_ROOT } from './fleet.js';
import { type Verdict } from './oracle/evidence.js';
import { PLANTED_BUGS, type PlantedBug } from './planted-bugs.js';
import { plantedCopy } from './planted-copy.js';
import { runStorm } from './storm.js';

/**
 * `npm run storm:teeth`: a short storm against each planted bug, and one against none. Each bug must be caught by a rule that it
 * breaks, whatever else is wrong on a slow machine, and where there is none nothing may be. `npm run storm:teeth -- lock webhook` runs those whose name has one of the words.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '1' }, backend: { type: 'string', default: 'postgres' } },
});
const backend: Backend = values.backend === 'redis' ? 'redis' : 'postgres';

/** Dense rather than long. */
const MINUTES = 0.4;
const ORDERS_PER_SECOND = 16;
const SHOWN_CHARACTERS = 160;

const NONE: PlantedBug = { name: 'no bug', caughtBy: [], edits: [] };
const wanted = [NONE, ...PLANTED_BUGS].filter(({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)));
let escaped = 0;
for (const [index, bug] of wanted.entries()) {
  const startedAt = Date.now();
  const seed = Number(values.seed) + index;
  const caught = await brokenRules(bug, seed);
  const isRight = bug === NONE ? caught.length === 0 : caught.some(({ rule }) => bug.caughtBy.includes(rule));
  if (!isRight) escaped += 1;
  const verdict = bug === NONE ? (isRight ? 'rightly quiet' : 'FALSE ALARM') : isRight ? 'caught' : 'ESCAPED';
  console.log(`${verdict.padEnd(13)} ${String(Math.round((Date.now() - startedAt) / 1_000)).padStart(4)} s  ${bug.name} (seed ${seed})`);
  for (const { rule, violations } of caught) {
    const line = `${bug.caughtBy.includes(rule) ? '*' : ' '} ${rule} (${violations.length}): ${violations[0]}`;
    console.log(`                    ${line.slice(0, SHOWN_CHARACTERS)}`);
  }
}
console.log(`\nteeth  ${wanted.length - escaped} of ${wanted.length} as they should be`);
process.exit(escaped === 0 ? 0 : 1);

/** The rules that the oracle finds broken when this bug is planted. */
async function brokenRules(bug: PlantedBug, seed: number): Promise<readonly Verdict[]> {
  const folder = mkdtempSync(join(tmpdir(), 'oncepay-teeth-'));
  try {
    const { verdicts } = await runStorm({
      minutes: MINUTES,
      seed,
      backend,
      folder,
      root: plantedCopy(OWN_ROOT, join(folder, 'planted'), bug),
      sql: bug.sql ?? null,
      ordersPerSecond: ORDERS_PER_SECOND,
      pace: DENSE_PACE,
      onProgress: () => undefined,
    });
    return verdicts.filter(({ violations }) => violations.length > 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
