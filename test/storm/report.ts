import { DENSE_PACE } from './chaos.js';
import { type StormOptions, type StormResult, USUAL_ORDERS_PER_SECOND } from './storm.js';

const SHOWN_VIOLATIONS = 5;
const SHOWN_CHARACTERS = 600;

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
  ];
  return `npm run storm -- ${words.join(' ')}`;
}

/** What a storm has shown, as a table; a number that the run did not produce is not in it. */
export function report(options: StormOptions, result: StormResult): string {
  const { verdicts, faults, orders, requests, takeovers, convergence, orderMs, notes } = result;
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
        `  ${rule.padEnd(4)} ${found.length === 0 ? 'holds   ' : 'VIOLATED'} ${String(facts).padStart(9)} facts  ${says}${found.length === 0 ? '' : `: ${found.length} violations`}`,
    ),
    '',
    `Takeover of a killed worker's operations   ${times(takeovers.aloneMs)}`,
    `  while other faults struck too            ${times(takeovers.amidMs)}`,
    `Convergence after the healing              ${times(convergence.timesMs)}, all seen equal after ${seconds(convergence.seenAfterMs)} (allowed ${seconds(convergence.boundMs)})`,
    `An order that nothing disturbs             ${paidAfter(orderMs.before)} before, ${paidAfter(orderMs.healing)} at the healing, ${paidAfter(orderMs.after)} when all is done`,
    ...verdicts.flatMap(({ rule, violations: found }) =>
      found.slice(0, SHOWN_VIOLATIONS).map((violation) => `\n${rule} VIOLATED: ${violation.slice(0, SHOWN_CHARACTERS)}`),
    ),
    '',
    violations === 0
      ? `storm  0 violations in ${options.minutes} min on ${options.backend}, seed ${options.seed}`
      : `storm  FAILED with ${violations} violations, seed ${options.seed}\n       again: ${repeatCommand(options)}\n       logs:  ${options.folder}`,
  ].join('\n');
}

function times(ms: readonly number[]): string {
  if (ms.length === 0) return 'nothing to measure';
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return `n ${sorted.length}, p50 ${seconds(at(0.5))}, p99 ${seconds(at(0.99))}, most ${seconds(at(1))}`;
}

function paidAfter(ms: number | null): string {
  return ms === null ? 'never paid' : seconds(ms);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
