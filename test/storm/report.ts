import { CALM_PACE, DENSE_PACE } from './chaos.js';
import { percentile, seconds } from './times.js';
import { type StormOptions, type StormResult, USUAL_ORDERS_PER_SECOND } from './storm.js';

const SHOWN_VIOLATIONS = 5;
const SHOWN_CHARACTERS = 600;
/** Everything that buyers do has happened many times by then. */
const FACTS_AFTER_MINUTES = 1;

/** How the same storm is started once more. */
export function repeatCommand({
  minutes,
  seed,
  backend,
  ordersPerSecond,
  pace,
}: Pick<StormOptions, 'minutes' | 'seed' | 'backend' | 'ordersPerSecond' | 'pace'>): string {
  const words = [
    `--minutes ${minutes} --seed ${seed}`,
    ...(backend === 'redis' ? ['--backend redis'] : []),
    ...(ordersPerSecond === USUAL_ORDERS_PER_SECOND ? [] : [`--rate ${ordersPerSecond}`]),
    ...(pace === DENSE_PACE ? ['--dense'] : []),
    ...(pace === CALM_PACE ? ['--calm'] : []),
  ];
  return `npm run storm -- ${words.join(' ')}`;
}

/** The rules of which a storm has seen nothing although it was long enough to: a check of nothing proves nothing. */
export function unseenRules({ minutes }: Pick<StormOptions, 'minutes'>, { verdicts }: Pick<StormResult, 'verdicts'>): readonly string[] {
  return minutes < FACTS_AFTER_MINUTES ? [] : verdicts.filter(({ facts }) => facts === 0).map(({ rule }) => rule);
}

/** What a storm has shown, as a table; a number that the run did not produce is not in it. */
export function report(options: StormOptions, result: StormResult): string {
  const { verdicts, faults, orders, requests, takeovers, convergence, bounds, orderMs, notes } = result;
  const unseen = unseenRules(options, result);
  const violations = verdicts.reduce((sum, each) => sum + each.violations.length, 0);
  return [
    '',
    `Faults that struck: ${faults.total}`,
    ...faults.entries().map(([name, count]) => `  ${String(count).padStart(7)}  ${name}`),
    ...(notes.length > 0
      ? [`  ${notes.length} more could not strike: ${[...new Set(notes)].slice(0, SHOWN_VIOLATIONS).join('; ').slice(0, SHOWN_CHARACTERS)}`]
      : []),
    '',
    `Rules checked on ${orders} orders and ${requests} requests`,
    ...verdicts.map(
      ({ rule, says, facts, violations: found }) =>
        `  ${rule.padEnd(4)} ${wordFor(facts, found.length)} ${String(facts).padStart(9)} facts  ${says}${found.length === 0 ? '' : `: ${found.length} violations`}`,
    ),
    '',
    `Takeover of a killed worker's operations   ${times(takeovers.aloneMs)}`,
    `  while other faults struck too            ${times(takeovers.amidMs)}`,
    `Convergence after the healing              ${times(convergence.timesMs)}, all seen equal after ${seconds(convergence.seenAfterMs)} (allowed ${seconds(bounds.wholeMs)}, ${seconds(bounds.p99Ms)} at the p99)`,
    `An order that nothing disturbs             ${paidAfter(orderMs.before)} before, ${paidAfter(orderMs.healing)} at the healing, ${paidAfter(orderMs.after)} when all is done`,
    ...verdicts.flatMap(({ rule, violations: found }) =>
      found.slice(0, SHOWN_VIOLATIONS).map((violation) => `\n${rule} VIOLATED: ${violation.slice(0, SHOWN_CHARACTERS)}`),
    ),
    '',
    violations === 0 && unseen.length === 0
      ? `storm  0 violations in ${options.minutes} min on ${options.backend}, seed ${options.seed}`
      : `storm  FAILED with ${violations} violations${unseen.map((rule) => `, nothing seen of ${rule}`).join('')}, seed ${options.seed}\n       again: ${repeatCommand(options)}\n       logs:  ${options.folder}`,
  ].join('\n');
}

function times(ms: readonly number[]): string {
  if (ms.length === 0) return 'nothing to measure';
  return `n ${ms.length}, p50 ${seconds(percentile(ms, 0.5))}, p99 ${seconds(percentile(ms, 0.99))}, most ${seconds(percentile(ms, 1))}`;
}

function paidAfter(ms: number | null): string {
  return ms === null ? 'never paid' : seconds(ms);
}

function wordFor(facts: number, violations: number): string {
  if (violations > 0) return 'VIOLATED';
  return facts > 0 ? 'holds   ' : 'UNSEEN  ';
}
