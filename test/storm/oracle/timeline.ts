import { CAUSE, PAYMENT_MOVES } from '../../support/invariants.js';
import { Check, type Evidence, grouped, type TimelineRow, type Verdict } from './evidence.js';

type Moves = Readonly<Record<string, readonly string[]>>;

/** To where an order may move from each status, by the contract's words: the oracle believes no table of the application. */
const ORDER_MOVES: Moves = {
  pending: ['requires_payment', 'requires_action', 'processing', 'authorized', 'paid', 'canceled', 'expired', 'failed'],
  requires_payment: ['requires_action', 'processing', 'authorized', 'paid', 'canceled', 'expired'],
  requires_action: ['requires_payment', 'processing', 'authorized', 'paid', 'canceled', 'expired'],
  processing: ['requires_payment', 'requires_action', 'authorized', 'paid', 'canceled'],
  authorized: ['paid', 'canceled', 'expired'],
  paid: ['partially_refunded', 'refunded'],
  partially_refunded: ['paid', 'refunded'],
  refunded: ['paid', 'partially_refunded'],
};

/** Where what was not there before begins. */
const NEW = 'new';

/** A refund that succeeded may still fail; one we hear of late may be anywhere. Source: docs.stripe.com/refunds. */
const REFUND_MOVES: Moves = {
  [NEW]: ['pending', 'succeeded', 'failed', 'canceled'],
  pending: ['succeeded', 'failed', 'canceled'],
  succeeded: ['failed', 'canceled'],
};

/** An inquiry may become a chargeback, which is reviewed and decided. Source: docs.stripe.com/disputes/how-disputes-work. */
const DISPUTE_MOVES: Moves = {
  [NEW]: ['warning_needs_response', 'warning_under_review', 'warning_closed', 'needs_response', 'under_review', 'won', 'lost'],
  warning_needs_response: ['warning_under_review', 'warning_closed', 'needs_response', 'under_review', 'won', 'lost'],
  warning_under_review: ['warning_closed', 'needs_response', 'under_review', 'won', 'lost'],
  warning_closed: ['needs_response', 'under_review', 'won', 'lost'],
  needs_response: ['under_review', 'won', 'lost'],
  under_review: ['won', 'lost'],
};

const MOVES: Readonly<Record<string, Moves>> = {
  order: ORDER_MOVES,
  payment: PAYMENT_MOVES,
  refund: REFUND_MOVES,
  dispute: DISPUTE_MOVES,
};

/** R8: states move along the published table only, as the timeline has it and as buyers saw it. */
export function statesMoveAlongTheTable({ dump, history }: Evidence): Verdict {
  const check = new Check('R8', 'states move along the published table only');
  for (const [order, rows] of grouped(dump.timeline, ({ order }) => order)) {
    for (const { type, from, to } of rows) {
      const [of = '', named] = type.split('.');
      const moves = MOVES[of];
      if (moves === undefined || type === 'order.created') continue;
      check.that(
        to !== null && to === named && (moves[from ?? NEW] ?? []).includes(to),
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
  const refunds = grouped(dump.refunds, ({ order }) => order);
  for (const { id, status, payment, disputeStatus } of dump.orders) {
    const rows = timelines.get(id) ?? [];
    const of = (what: string): readonly TimelineRow[] => rows.filter(({ type }) => type.startsWith(`${what}.`));
    const [created] = rows;
    check.that(created?.type === 'order.created', () => `the timeline of ${id} does not begin with its creation`);
    let before = 0;
    for (const { type, cause, at } of rows) {
      check.that(CAUSE.test(cause), () => `${type} of ${id} has the cause "${cause}"`);
      check.that(at >= before, () => `${type} of ${id} is older than the line before it`);
      before = at;
    }
    leads(check, id, of('order'), created?.to ?? '', status);
    leads(check, id, of('payment'), 'pending', payment);
    leads(check, id, of('dispute'), null, disputeStatus);
    for (const refund of refunds.get(id) ?? [])
      leads(
        check,
        refund.id,
        rows.filter((row) => row.refund === refund.id),
        null,
        refund.status,
      );
  }
  return check.verdict();
}

function leads(check: Check, id: string, rows: readonly TimelineRow[], start: string | null, end: string | null): void {
  let at = start;
  for (const { type, from, to } of rows) {
    if (type === 'order.created' || to === null) continue;
    check.that(from === at, () => `the timeline of ${id} jumps from ${at} to ${from}`);
    at = to;
  }
  check.that(at === end, () => `the timeline of ${id} leads to ${at}, but it is ${end}`);
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
