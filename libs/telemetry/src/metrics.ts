import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

// Every metric of our processes, in seconds where it is a time. The values of labels come from closed lists or from our
// own route table, never from what somebody sent: their number is bounded, and no secret can get into one (R12).

const registry = new Registry();
collectDefaultMetrics({ register: registry });
const registers = [registry];

/** From a cached read to the longest wait a client can ask for. */
const HTTP_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** From the simulator to the time-out of a call. */
const STRIPE_BUCKETS_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const httpRequests = new Histogram({
  name: 'oncepay_http_request_duration_seconds',
  help: 'From the first byte of a request to the last of its answer, by route template',
  labelNames: ['method', 'route', 'status'],
  buckets: HTTP_BUCKETS_SECONDS,
  registers,
});
const stripeCalls = new Histogram({
  name: 'oncepay_stripe_call_duration_seconds',
  help: 'From the first byte sent to Stripe to the head of its answer, by what was asked and what came',
  labelNames: ['call', 'outcome'],
  buckets: STRIPE_BUCKETS_SECONDS,
  registers,
});
const orderMoves = new Counter({
  name: 'oncepay_order_moves_total',
  help: 'Orders that this process brought into a state',
  labelNames: ['state'],
  registers,
});
const eventEnds = new Counter({
  name: 'oncepay_webhook_events_settled_total',
  help: 'Events that this process brought to an end',
  labelNames: ['status'],
  registers,
});
const duplicates = new Counter({
  name: 'oncepay_duplicates_absorbed_total',
  help: 'Repetitions that changed nothing: requests under a key that has its answer, events that were here already',
  labelNames: ['source'],
  registers,
});
const refusedFences = new Counter({
  name: 'oncepay_fences_refused_total',
  help: 'Writes of workers that had lost their operation to another',
  registers,
});

/** What a process can be asked of Stripe's outcome: by status where an answer came. */
export type StripeOutcome = 'success' | 'declined' | 'throttled' | 'refused' | 'server_error' | 'no_answer';

/** Counts one HTTP request. `route` is the template, never the path. */
export function observeHttpRequest(facts: { method: string; route: string; status: number; seconds: number }): void {
  httpRequests.observe({ method: facts.method, route: facts.route, status: String(facts.status) }, facts.seconds);
}

/** Counts one call to Stripe. `call` is of the gateway's own list. */
export function observeStripeCall(facts: { call: string; outcome: StripeOutcome; seconds: number }): void {
  stripeCalls.observe({ call: facts.call, outcome: facts.outcome }, facts.seconds);
}

/** Counts an order that has come into a state of the published table. */
export function countOrderMove(state: string): void {
  orderMoves.inc({ state });
}

/** Counts an event of the inbox that has come to its end. */
export function countEventEnd(status: 'applied' | 'ignored' | 'parked'): void {
  eventEnds.inc({ status });
}

/** Counts a repetition that changed nothing. */
export function countDuplicate(source: 'idempotency_key' | 'webhook'): void {
  duplicates.inc({ source });
}

/** Counts a write that a fence has refused. */
export function countRefusedFence(): void {
  refusedFences.inc();
}

/** What is counted in the database at the moment of a scrape. Ages in seconds. */
export interface VitalSigns {
  readonly ordersByState: Readonly<Record<string, number>>;
  readonly eventsByStatus: Readonly<Record<string, number>>;
  /** 0 closed, 1 half open, 2 open. */
  readonly breakers: Readonly<Record<string, number>>;
  readonly oldestOperationSeconds: number;
  readonly overdueOperationSeconds: number;
  readonly outboxSeconds: number;
  readonly inboxSeconds: number;
  readonly oldestEventSeconds: number;
  readonly parkedOperations: number;
  readonly openDiscrepancies: number;
}

const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers });
const labelled = <L extends string>(name: string, help: string, label: L): Gauge<L> =>
  new Gauge({ name, help, labelNames: [label], registers });

const databaseUp = gauge('oncepay_database_up', '1 when the database answered this scrape; without it the gauges below are missing');
const openOrders = labelled(
  'oncepay_orders_open',
  'Orders that are not at an end, by state; those that are, oncepay_order_moves_total counts',
  'state',
);
const openEvents = labelled('oncepay_webhook_events', 'Events in the inbox that were not dealt with, by status', 'status');
const breakers = labelled('oncepay_breaker_state', 'Circuit breakers in front of Stripe: 0 closed, 1 half open, 2 open', 'breaker');
const ages = labelled(
  'oncepay_oldest_seconds',
  'Age of the oldest: operation not over, operation overdue, outbox row, event due, event not dealt with since it was received',
  'what',
);
const parkedOperations = gauge('oncepay_operations_parked', 'Operations that wait for a person');
const openDiscrepancies = gauge('oncepay_discrepancies_open', 'Contradictions between Stripe and us that wait for a person');

/**
 * What Prometheus reads: everything this process counted, and what `read` finds in the database at this moment. When that
 * fails, its gauges are left out: an old value would look like a present one.
 */
export async function renderMetrics(read: () => Promise<VitalSigns>): Promise<{ contentType: string; text: string }> {
  const signs = await read().catch(() => null);
  for (const one of [openOrders, openEvents, breakers, ages, parkedOperations, openDiscrepancies]) one.reset();
  databaseUp.set(signs === null ? 0 : 1);
  if (signs === null) for (const one of [parkedOperations, openDiscrepancies]) one.remove();
  else {
    for (const [state, count] of Object.entries(signs.ordersByState)) openOrders.set({ state }, count);
    for (const [status, count] of Object.entries(signs.eventsByStatus)) openEvents.set({ status }, count);
    for (const [breaker, state] of Object.entries(signs.breakers)) breakers.set({ breaker }, state);
    ages.set({ what: 'operation' }, signs.oldestOperationSeconds);
    ages.set({ what: 'overdue_operation' }, signs.overdueOperationSeconds);
    ages.set({ what: 'outbox_row' }, signs.outboxSeconds);
    ages.set({ what: 'event' }, signs.inboxSeconds);
    ages.set({ what: 'open_event' }, signs.oldestEventSeconds);
    parkedOperations.set(signs.parkedOperations);
    openDiscrepancies.set(signs.openDiscrepancies);
  }
  return { contentType: registry.contentType, text: await registry.metrics() };
}
