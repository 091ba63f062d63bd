import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PAYMENT_TRANSITIONS } from './observation.js';
import { ORDER_STATUS_RULES, ORDER_TRANSITIONS, orderStatusOf, type OrderStatusFacts, pendingOperationOf } from './order-status.js';
import {
  type OperationFacts,
  type OperationKind,
  type OperationStatus,
  ORDER_STATUSES,
  type OrderedBy,
  type OrderStatus,
  PAYMENT_STATUSES,
  type PaymentStatus,
  SESSION_LAPSED,
} from './payment.js';

const OPEN: readonly OperationStatus[] = ['queued', 'in_flight', 'unknown', 'parked'];
const SETTLED: readonly OperationStatus[] = ['done', 'declined', 'rejected', 'withdrawn'];

/** `create done, confirm declined, confirm queued by pay` as the operations of a payment, in this sequence. */
function operations(text: string): OperationFacts[] {
  if (text === '') return [];
  return text.split(', ').map((entry, sequence) => {
    const [kind, status, , by] = entry.split(' ') as [OperationKind, OperationStatus, 'by'?, OrderedBy?];
    return {
      id: String(sequence),
      kind,
      sequence,
      status,
      orderedBy: by ?? (kind === 'confirm' || kind === 'customer' ? 'create' : kind === 'cancel_orphan' ? 'reconciliation' : kind),
      refundId: null,
    };
  });
}

function facts(status: PaymentStatus, ordered: string, more: Partial<OrderStatusFacts> = {}): OrderStatusFacts {
  return {
    orderStatus: 'pending',
    status,
    amountCaptured: 0,
    amountRefunded: 0,
    checkoutSessionId: null,
    url: null,
    cancellationReason: null,
    operations: operations(ordered),
    ...more,
  };
}

const captured = (amountCaptured: number, amountRefunded: number): Partial<OrderStatusFacts> => ({ amountCaptured, amountRefunded });

const OPEN_SESSION: Partial<OrderStatusFacts> = { checkoutSessionId: 'cs_1', url: 'https://checkout.stripe.example/cs_1' };
const COMPLETE_SESSION: Partial<OrderStatusFacts> = { checkoutSessionId: 'cs_1', url: null };
/** The reason our expiry gives. */
const ABANDONED: Partial<OrderStatusFacts> = { cancellationReason: 'abandoned' };
const LAPSED_SESSION: Partial<OrderStatusFacts> = { ...COMPLETE_SESSION, cancellationReason: SESSION_LAPSED };

/** The table of the HTTP contract, section "Orders", written down a second time. */
const PUBLISHED: readonly (readonly [circumstance: string, facts: OrderStatusFacts, order: OrderStatus])[] = [
  ['no intent, create queued', facts('pending', 'create queued, confirm queued'), 'pending'],
  ['no intent, create in flight', facts('pending', 'create in_flight'), 'pending'],
  ['no intent, create unknown', facts('pending', 'create unknown'), 'pending'],
  ['no intent, create rejected', facts('pending', 'create rejected, confirm withdrawn'), 'failed'],
  ['requires_payment_method, first confirm queued', facts('requires_payment_method', 'create done, confirm queued'), 'pending'],
  ['requires_confirmation, first confirm sent', facts('requires_confirmation', 'create done, confirm in_flight'), 'pending'],
  ['requires_confirmation, first confirm unknown', facts('requires_confirmation', 'create done, confirm unknown'), 'pending'],
  [
    'requires_payment_method, later confirm queued',
    facts('requires_payment_method', 'create done, confirm declined, confirm queued by pay'),
    'processing',
  ],
  [
    'requires_confirmation, later confirm sent',
    facts('requires_confirmation', 'create done, confirm rejected, confirm in_flight by pay'),
    'processing',
  ],
  [
    'requires_payment_method, later confirm unknown',
    facts('requires_payment_method', 'create done, confirm declined, confirm unknown by pay'),
    'processing',
  ],
  [
    'requires_payment_method, the only confirm is a later one',
    facts('requires_payment_method', 'create done, confirm queued by pay'),
    'processing',
  ],
  ['pending, customer rejected', facts('pending', 'customer rejected, create withdrawn, confirm withdrawn'), 'failed'],
  ['requires_payment_method, nothing open', facts('requires_payment_method', 'create done'), 'requires_payment'],
  ['requires_payment_method, confirm declined', facts('requires_payment_method', 'create done, confirm declined'), 'requires_payment'],
  ['requires_confirmation, nothing open', facts('requires_confirmation', 'create done, confirm rejected'), 'requires_payment'],
  ['requires_payment_method, cancel open', facts('requires_payment_method', 'create done, cancel queued'), 'requires_payment'],
  ['requires_action', facts('requires_action', 'create done, confirm done'), 'requires_action'],
  ['processing', facts('processing', 'create done, confirm done'), 'processing'],
  ['session open, nobody has tried', facts('requires_payment_method', 'create done', OPEN_SESSION), 'requires_payment'],
  ['session open, its buyer authenticates on the page', facts('requires_action', 'create done', OPEN_SESSION), 'requires_payment'],
  ['session complete but unpaid, the bank is at work', facts('processing', 'create done', COMPLETE_SESSION), 'processing'],
  ['session complete but unpaid, the buyer has to transfer', facts('requires_action', 'create done', COMPLETE_SESSION), 'processing'],
  ['session complete, the bank has refused', facts('requires_payment_method', 'create done', COMPLETE_SESSION), 'requires_payment'],
  ['session complete, authorized', facts('requires_capture', 'create done', COMPLETE_SESSION), 'authorized'],
  ['requires_capture, nothing open', facts('requires_capture', 'create done, confirm done'), 'authorized'],
  ['requires_capture, capture open', facts('requires_capture', 'create done, confirm done, capture unknown'), 'authorized'],
  ['requires_capture, cancel open', facts('requires_capture', 'create done, confirm done, cancel queued'), 'authorized'],
  ['succeeded, nothing refunded', facts('succeeded', 'create done, confirm done', captured(4_300, 0)), 'paid'],
  [
    'succeeded, refund ordered but not succeeded',
    facts('succeeded', 'create done, confirm done, refund queued', captured(4_300, 0)),
    'paid',
  ],
  ['succeeded, all but one unit refunded', facts('succeeded', 'create done, confirm done', captured(4_300, 4_299)), 'partially_refunded'],
  ['succeeded, one unit refunded', facts('succeeded', 'create done, confirm done', captured(4_300, 1)), 'partially_refunded'],
  ['succeeded, the only unit refunded', facts('succeeded', 'create done, confirm done', captured(1, 1)), 'refunded'],
  ['succeeded, all refunded', facts('succeeded', 'create done, confirm done', captured(4_300, 4_300)), 'refunded'],
  [
    'succeeded in part, that part refunded',
    facts('succeeded', 'create done, confirm done, capture done', captured(1_000, 1_000)),
    'refunded',
  ],
  ['canceled by the caller', facts('canceled', 'create done, cancel done'), 'canceled'],
  ['canceled by Stripe', facts('canceled', 'create done'), 'canceled'],
  ['canceled by our expiry', facts('canceled', 'create done, cancel done by expiry', ABANDONED), 'expired'],
  ['canceled, our expiry not answered yet', facts('canceled', 'create done, cancel unknown by expiry', ABANDONED), 'expired'],
  ['canceled elsewhere before our expiry came', facts('canceled', 'create done, cancel done by expiry'), 'canceled'],
  ['canceled elsewhere as abandoned', facts('canceled', 'create done', ABANDONED), 'canceled'],
  ['session lapsed', facts('canceled', 'create done', LAPSED_SESSION), 'expired'],
  ['session lapsed while the caller canceled', facts('canceled', 'create done, cancel unknown', LAPSED_SESSION), 'canceled'],
  ['session expired elsewhere before its time', facts('canceled', 'create done', COMPLETE_SESSION), 'canceled'],
  ['session expired by our expiry', facts('canceled', 'create done, cancel done by expiry', COMPLETE_SESSION), 'expired'],
  [
    'canceled by the caller after our expiry was refused',
    facts('canceled', 'create done, cancel rejected by expiry, cancel done'),
    'canceled',
  ],
];

describe('the status of an order', () => {
  for (const [circumstance, given, order] of PUBLISHED) {
    it(`is ${order}: ${circumstance}`, () => {
      assert.equal(orderStatusOf(given), order);
    });
  }

  it('exists for every status of a payment, whatever was ordered for it', () => {
    const kinds: readonly OperationKind[] = ['customer', 'create', 'confirm', 'capture', 'cancel', 'refund'];
    for (const status of PAYMENT_STATUSES) {
      for (const kind of kinds) {
        for (const outcome of [...OPEN, ...SETTLED]) {
          assert.doesNotThrow(() => orderStatusOf(facts(status, `create done, ${kind} ${outcome}`, captured(4_300, 100))));
        }
      }
    }
  });

  it('follows no rule that the published table does not exercise', () => {
    const used = new Set(
      PUBLISHED.map(([, given]) =>
        ORDER_STATUS_RULES.findIndex((rule) => rule.payment.includes(given.status) && orderStatusOf(given) === rule.order),
      ),
    );
    assert.deepEqual(
      [...used].sort((a, b) => a - b),
      ORDER_STATUS_RULES.map((_, index) => index),
    );
  });

  it('is processing, never pending again, when the buyer failed what a confirm had asked for whose own answer is still missing', () => {
    for (const orderStatus of ['requires_action', 'processing', 'requires_payment'] as const) {
      const status = orderStatusOf(facts('requires_payment_method', 'create done, confirm unknown', { orderStatus }));
      assert.equal(status, 'processing');
      assert.ok(status === orderStatus || ORDER_TRANSITIONS[orderStatus].includes(status));
    }
  });

  it("takes Stripe's word over a confirm whose own answer is still missing", () => {
    assert.equal(orderStatusOf(facts('requires_action', 'create done, confirm unknown')), 'requires_action');
    assert.equal(orderStatusOf(facts('succeeded', 'create done, confirm unknown', captured(4_300, 0))), 'paid');
    assert.equal(orderStatusOf(facts('canceled', 'create done, confirm in_flight')), 'canceled');
  });
});

describe('the moves of an order', () => {
  const paymentsOf = (order: OrderStatus): readonly PaymentStatus[] =>
    ORDER_STATUS_RULES.filter((rule) => rule.order === order).flatMap(({ payment }) => payment);

  it('are moves of its payment, or leave the payment where it is', () => {
    for (const from of ORDER_STATUSES) {
      const reached = paymentsOf(from).flatMap((status) => [status, ...PAYMENT_TRANSITIONS[status]]);
      for (const to of ORDER_TRANSITIONS[from]) {
        assert.ok(
          paymentsOf(to).some((status) => reached.includes(status)),
          `no payment moves so that an order that is ${from} becomes ${to}`,
        );
      }
    }
  });

  it('lead from pending to every status, and from no end anywhere', () => {
    const reached = new Set<OrderStatus>(['pending']);
    for (const status of reached) for (const to of ORDER_TRANSITIONS[status]) reached.add(to);
    assert.deepEqual([...reached].toSorted(), ORDER_STATUSES.toSorted());
    for (const end of ['canceled', 'expired', 'failed'] as const) assert.deepEqual(ORDER_TRANSITIONS[end], []);
  });
});

describe('the pending operation', () => {
  it('is none when nothing was ordered or all is settled', () => {
    assert.equal(pendingOperationOf([]), null);
    for (const status of SETTLED) assert.equal(pendingOperationOf(operations(`create done, capture ${status}`)), null);
  });

  it('is the one that is queued, sent, unknown or parked', () => {
    for (const kind of ['create', 'confirm', 'capture', 'cancel'] as const) {
      for (const status of OPEN) assert.equal(pendingOperationOf(operations(`${kind} ${status}`)), kind);
    }
  });

  it('is the one ordered last when several are open', () => {
    assert.equal(pendingOperationOf(operations('create in_flight, confirm queued')), 'confirm');
    assert.equal(pendingOperationOf(operations('create in_flight, confirm queued').reverse()), 'confirm');
  });

  it('is never a refund, which has a status of its own', () => {
    assert.equal(pendingOperationOf(operations('refund queued')), null);
    assert.equal(pendingOperationOf(operations('capture queued, refund queued')), 'capture');
  });
});
