import { History, type Answer, type Command } from '../history.js';
import { type Evidence } from './evidence.js';

/** Lets a spec change what it was given. */
export type Mutable<T> = T extends History
  ? T
  : T extends ReadonlySet<infer E>
    ? Set<E>
    : T extends readonly (infer E)[]
      ? Mutable<E>[]
      : T extends object
        ? { -readonly [P in keyof T]: Mutable<T[P]> }
        : T;

/** Evidence of a world in which every rule holds: what a spec forges, it forges here. */
export function soundEvidence(): Mutable<Evidence> {
  const history = new History();
  const create = begin(history, 'key-create', 'create', '/v1/orders', 500, 0);
  answered(create, 201, 'body of ord_1', '/v1/orders/ord_1');
  answered(create, 201, 'body of ord_1', '/v1/orders/ord_1', true);
  const other = begin(history, 'key-other', 'create', '/v1/orders', 700, 1);
  answered(other, 201, 'body of ord_2', '/v1/orders/ord_2');
  const refund = begin(history, 'key-refund', 'refund', '/v1/orders/ord_1/refunds', 200, 0);
  answered(refund, 201, 'body of ref_1', '/v1/refunds/ref_1');
  create.otherRequests.push({
    invokedAt: 0,
    endedAt: 1,
    answer: { status: 422, digest: '', location: null, isReplay: false, code: 'idempotency_key_reused' },
  });
  const late = begin(history, 'key-late', 'cancel', '/v1/orders/ord_1/cancel', null, 0);
  answered(late, 409, 'refusal', null);
  answered(late, 409, 'refusal', null, true);
  history.orders.set('ord_1', {
    id: 'ord_1',
    account: 0,
    amount: 500,
    currency: 'usd',
    statuses: ['pending', 'paid', 'partially_refunded'],
  });
  history.orders.set('ord_2', { id: 'ord_2', account: 1, amount: 700, currency: 'usd', statuses: ['pending', 'requires_payment'] });
  history.trespasses.push({ what: 'GET /v1/orders/ord_1', isRefused: true, answer: '404' });
  return {
    history,
    ...world(),
    failures: [],
    times: { measured: 3, late: [] },
    waiting: new Set(['0197']),
    scans: [{ what: 'api.log', lines: 3, found: [] }],
  };
}

/** Adds an answer to a command. */
export function answered(command: Command, status: number, digest: string, location: string | null, isReplay = false): void {
  const answer: Answer = { status, digest, location, isReplay, code: null };
  const invokedAt = 2 * command.attempts.length;
  command.attempts.push({ invokedAt, endedAt: invokedAt + 1, answer });
}

function begin(history: History, key: string, verb: Command['verb'], path: string, amount: number | null, account: 0 | 1): Command {
  return history.begin({ account, audience: 'secret', key, verb, path, body: '{}', amount, currency: verb === 'create' ? 'usd' : null });
}

function world(): Pick<Mutable<Evidence>, 'dump' | 'stripe' | 'journal'> {
  const undisputed = { dispute: null, disputeStatus: null, disputeAmount: null, disputeReason: null };
  const order = { currency: 'usd', captured: 0, refunded: 0, refundPending: 0, checkout: 'elements', session: null, customer: null };
  const told = { cause: 'webhook:evt_1', refund: null, amount: null, at: 1_000 };
  const key = { audience: 'secret', status: 201 };
  const request = { kind: 'request' as const, method: 'POST', status: 200, executed: true, fault: null };
  const effect = { kind: 'effect' as const, currency: 'usd', paymentIntent: 'pi_1', refund: null };
  const metadata = (id: string): Record<string, string> => ({ oncepay_order: id });
  const moved = (id: string, type: string, from: string | null, to: string) => ({ ...told, order: id, type, from, to });
  const created = (id: string) => ({ ...moved(id, 'order.created', null, 'pending'), cause: 'command:create' });
  const ofRefund = { refund: 'ref_1', amount: 200 };
  const byOperation = { cause: 'operation:op_01h455vb4pex5vsknk084sn02q' };
  const operation = { status: 'done', generation: 1 };
  return {
    dump: {
      orders: [
        {
          ...order,
          dispute: 'du_1',
          disputeStatus: 'needs_response',
          disputeAmount: 300,
          disputeReason: 'fraudulent',
          customer: 'cus_1',
          id: 'ord_1',
          account: 'a',
          status: 'partially_refunded',
          amount: 500,
          captured: 500,
          refunded: 200,
          payment: 'succeeded',
          intent: 'pi_1',
        },
        {
          ...order,
          ...undisputed,
          id: 'ord_2',
          account: 'b',
          status: 'requires_payment',
          amount: 700,
          payment: 'requires_payment_method',
          intent: 'pi_2',
        },
      ],
      operations: [
        { ...operation, id: 'op_1', order: 'ord_1', kind: 'create', orderedBy: 'create' },
        { ...operation, id: 'op_2', order: 'ord_1', kind: 'confirm', orderedBy: 'create' },
        { ...operation, id: 'op_3', order: 'ord_1', kind: 'refund', orderedBy: 'refund' },
        { ...operation, id: 'op_4', order: 'ord_2', kind: 'create', orderedBy: 'create' },
      ],
      refunds: [{ id: 'ref_1', order: 'ord_1', amount: 200, currency: 'usd', status: 'succeeded', stripeId: 're_1' }],
      timeline: [
        created('ord_1'),
        moved('ord_1', 'payment.succeeded', 'pending', 'succeeded'),
        moved('ord_1', 'order.paid', 'pending', 'paid'),
        { ...moved('ord_1', 'refund.pending', null, 'pending'), ...ofRefund, cause: 'command:refund' },
        { ...moved('ord_1', 'refund.succeeded', 'pending', 'succeeded'), ...ofRefund, ...byOperation },
        { ...moved('ord_1', 'order.partially_refunded', 'paid', 'partially_refunded'), ...byOperation },
        moved('ord_1', 'dispute.needs_response', null, 'needs_response'),
        created('ord_2'),
        { ...moved('ord_2', 'payment.requires_payment_method', 'pending', 'requires_payment_method'), ...byOperation },
        { ...moved('ord_2', 'order.requires_payment', 'pending', 'requires_payment'), ...byOperation },
      ],
      keys: [
        { ...key, account: 'a', key: 'key-create', location: '/v1/orders/ord_1', digest: 'body of ord_1' },
        { ...key, account: 'b', key: 'key-other', location: '/v1/orders/ord_2', digest: 'body of ord_2' },
        { ...key, account: 'a', key: 'key-late', status: 409, location: null, digest: 'refusal' },
        { ...key, account: 'a', key: 'key-refund', location: '/v1/refunds/ref_1', digest: 'body of ref_1' },
      ],
      events: [{ id: 'evt_1', type: 'payment_intent.succeeded', status: 'applied', livemode: false }],
      outbox: [],
      discrepancies: [],
    },
    stripe: {
      intents: [
        { id: 'pi_1', status: 'succeeded', amount: 500, currency: 'usd', amount_received: 500, metadata: metadata('ord_1') },
        { id: 'pi_2', status: 'requires_payment_method', amount: 700, currency: 'usd', amount_received: 0, metadata: metadata('ord_2') },
      ],
      refunds: [{ id: 're_1', status: 'succeeded', amount: 200, currency: 'usd', payment_intent: 'pi_1', metadata: {} }],
      sessions: [],
      disputes: [{ id: 'du_1', status: 'needs_response', amount: 300, reason: 'fraudulent', payment_intent: 'pi_1' }],
      customers: [{ id: 'cus_1', metadata: metadata('ord_1') }],
      events: [{ id: 'evt_1', type: 'payment_intent.succeeded', livemode: false, pending_webhooks: 0 }],
      delivered: new Set(['evt_1']),
    },
    journal: [
      { ...request, path: '/v1/payment_intents', idempotencyKey: 'op_1-1' },
      { ...request, path: '/v1/payment_intents/pi_1/confirm', idempotencyKey: 'op_2-1' },
      { ...effect, type: 'authorized', amount: 500 },
      { ...effect, type: 'captured', amount: 500 },
      { ...request, path: '/v1/refunds', idempotencyKey: 'op_3-1' },
      { ...effect, type: 'refunded', amount: 200, refund: 're_1' },
      { ...request, path: '/v1/payment_intents', idempotencyKey: 'op_4-1' },
    ],
  };
}
