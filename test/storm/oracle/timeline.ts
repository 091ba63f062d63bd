import { ORDER_MOVES, PAYMENT_MOVES } from '../../support/invariants.js';
import { Check, type Evidence, grouped, type TimelineRow, type Verdict } from './evidence.js';

type Moves = Readonly<Record<string, readonly string[]>>;

/** R8: states move along the published table only, as the timeline has it and as buyers saw it. */
export function statesMoveAlongTheTable({ dump, history }: Evidence): Verdict {
  const check = new Check('R8', 'states move along the published table only');
  for (const [order, rows] of grouped(dump.timeline, ({ order }) => order)) {
    for (const { type, from, to } of rows) {
      const moves = movesOf(type);
      if (moves === null || type === 'order.created') continue;
      check.that(
        from !== null && to !== null && (moves[from] ?? []).includes(to),
        () => `the order ${order}: ${type} from ${from} to ${to}`,
      );
    }
  }
  const reachable = closureOf(ORDER_MOVES);
  for (const { id, statuses } of history.orders.values())
    statuses.slice(1).forEach((to, index) => {
      const from = statuses[index] ?? '';
      check.that(reachable.get(from)?.has(to) ?? false, () => `a buyer saw the order ${id} become ${to} after ${from}`);
    });
  return check.verdict();
}

/** R11: every change of state is on the timeline with its cause and its time, without a gap. */
export function changesAreOnTheTimeline({ dump }: Evidence): Verdict {
  const check = new Check('R11', 'every change is on the timeline, with cause and time');
  const timelines = grouped(dump.timeline, ({ order }) => order);
  for (const { id, status, payment } of dump.orders) {
    const rows = timelines.get(id) ?? [];
    const [created] = rows;
    check.that(created?.type === 'order.created', () => `the timeline of ${id} does not begin with its creation`);
    for (const row of rows) check.that(row.cause !== '' && row.hasTime, () => `${row.type} of ${id} has no cause or time`);
    leads(
      check,
      id,
      rows.filter(({ type }) => type.startsWith('order.')),
      created?.to ?? '',
      status,
    );
    leads(
      check,
      id,
      rows.filter(({ type }) => type.startsWith('payment.')),
      'pending',
      payment,
    );
  }
  return check.verdict();
}

function leads(check: Check, id: string, rows: readonly TimelineRow[], start: string, end: string): void {
  let at = start;
  for (const { type, from, to } of rows) {
    if (type === 'order.created' || to === null) continue;
    check.that(from === at, () => `the timeline of ${id} jumps from ${at} to ${from}`);
    at = to;
  }
  check.that(at === end, () => `the timeline of ${id} leads to ${at}, but it is ${end}`);
}

function movesOf(type: string): Moves | null {
  if (type.startsWith('order.')) return ORDER_MOVES;
  return type.startsWith('payment.') ? PAYMENT_MOVES : null;
}

/** Where one can get in any number of moves. */
function closureOf(moves: Moves): Map<string, Set<string>> {
  const closure = new Map<string, Set<string>>();
  for (const start of Object.keys(moves)) {
    const reached = new Set<string>();
    const open = [...(moves[start] ?? [])];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (reached.has(next)) continue;
      reached.add(next);
      open.push(...(moves[next] ?? []));
    }
    closure.set(start, reached);
  }
  return closure;
}
