import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { operationIn } from '../support/commands.js';
import { assertRulesHold, keepOutbox } from '../support/invariants.js';
import { historyOf, keepHistory, type LaidOrder, layOrder, putOffFor, sentFor, strike, type Struck } from '../support/laid-orders.js';
import { effectsOn } from '../support/payment-facts.js';
import { type OrderJson, type Stack, startStack, WITHOUT_BREAKER } from '../support/stack.js';
import { anIntent } from '../support/stripe-events.js';
import { waitFor } from '../support/wait-for.js';

/** Short for the tests of no answer, yet long enough that a busy machine never takes it for one. */
const TIMEOUT_MS = 4_000;
const PAID_ONCE = ['authorized 2000 usd', 'captured 2000 usd'];

/** How one answer of Stripe is spoilt, and what must come of it. */
interface Case {
  readonly name: string;
  readonly struck: Struck;
  readonly faults: readonly object[] | ((laid: LaidOrder) => readonly object[]);
  readonly order?: object;
  readonly expect: (laid: LaidOrder) => Promise<void>;
}

let stack: Stack;

async function paidOnce({ id }: LaidOrder): Promise<OrderJson> {
  const order = await stack.orderIn(id, 'paid');
  // Stripe's event may tell of the payment before the operation has its own answer.
  await operationIn(stack, id, 'confirm', 'done');
  assert.deepEqual(await effectsOn(stack, order.payment.stripePaymentIntentId ?? ''), PAID_ONCE);
  return order;
}

/** Paid once, although the operation went through doubt, always under its first key. */
const throughDoubt =
  (struck: Struck) =>
  async (laid: LaidOrder): Promise<void> => {
    await paidOnce(laid);
    const sent = await sentFor(stack, laid, struck);
    assert.deepEqual(
      sent.map(({ generation }) => generation),
      [1, 1],
    );
    assert.equal(await historyOf(stack, laid, struck), 'in_flight unknown in_flight? done?');
  };

/** Paid once, and never in doubt: Stripe had not looked at the first request. */
const unsent =
  (struck: Struck, pauseMs: number) =>
  async (laid: LaidOrder): Promise<void> => {
    await paidOnce(laid);
    const [first, second, ...more] = await sentFor(stack, laid, struck);
    assert.ok(first !== undefined && second !== undefined && more.length === 0);
    assert.deepEqual([first.generation, second.generation], [1, 1]);
    assert.ok(second.at - first.at >= pauseMs, `came again after ${second.at - first.at} ms`);
    assert.equal(await historyOf(stack, laid, struck), 'in_flight queued in_flight done');
  };

const answer = (status: number, error: object): object => ({
  action: 'json',
  status,
  body: JSON.stringify({ error: { message: 'told by the test', ...error } }),
  count: 1,
});

const success = (object: object): object => ({ action: 'json', status: 200, count: 1, body: JSON.stringify(object) });

const DOUBTFUL: readonly (readonly [string, object])[] = [
  ['no answer', { action: 'hang', ms: 30_000 }],
  ['a reset', { action: 'reset' }],
  ['half an answer', { action: 'truncate' }],
  ['bytes that are no JSON', { action: 'garbage' }],
  ['a page of a proxy', { action: 'html', status: 502 }],
  ['JSON that is no error of Stripe', { action: 'json', status: 502 }],
  ['JSON that is no object of Stripe, as a success', { action: 'json', status: 200 }],
  ['another object than the one asked for', { action: 'json', status: 200, body: '{"id":"cus_1","object":"customer"}' }],
  ['424', { action: 'error', status: 424 }],
  ['500, not kept', { action: 'error', status: 500, stored: false }],
  ['503', { action: 'error', status: 503 }],
];

const CASES: readonly Case[] = [
  ...(['create', 'confirm'] as const).flatMap((struck) =>
    (['before', 'after'] as const).flatMap((phase) =>
      DOUBTFUL.map(([name, fault]): Case => ({
        name: `${name} ${phase} the effect of a ${struck} is unknown, and the same key settles it`,
        struck,
        faults: [{ ...fault, phase, count: 1 }],
        expect: throughDoubt(struck),
      })),
    ),
  ),
  ...(['create', 'confirm'] as const).flatMap((struck): Case[] => [
    {
      name: `a ${struck} cut in the middle of its answer is unknown, and the same key settles it`,
      struck,
      faults: [{ action: 'reset', phase: 'body', count: 1 }],
      expect: throughDoubt(struck),
    },
    {
      name: `429 to a ${struck} is not sent, and comes again when Retry-After says`,
      struck,
      faults: [{ action: 'rate_limit', retryAfterSeconds: 2, count: 1 }],
      expect: unsent(struck, 2_000),
    },
    {
      name: `lock_timeout to a ${struck} is not sent, and comes again`,
      struck,
      faults: [{ action: 'lock_timeout', count: 1 }],
      expect: unsent(struck, 0),
    },
    {
      name: `a ${struck} is repeated when Stripe says that it should be, whatever the status`,
      struck,
      faults: [{ ...answer(400, { type: 'invalid_request_error' }), headers: { 'Stripe-Should-Retry': 'true' } }],
      expect: unsent(struck, 0),
    },
    ...([409, 429] as const).map((status): Case => ({
      name: `${status} to a ${struck} that Stripe says not to repeat is settled by reading, then sent under a new key`,
      struck,
      faults: [{ ...answer(status, { type: 'invalid_request_error' }), headers: { 'Stripe-Should-Retry': 'false' } }],
      expect: async (laid) => {
        await paidOnce(laid);
        const sent = await sentFor(stack, laid, struck);
        assert.deepEqual(
          sent.map(({ generation }) => generation),
          [1, 2],
        );
      },
    })),
    {
      name: `409 to a ${struck} is unknown: its twin is in flight, and the same key comes again after 1 to 5 s`,
      struck,
      faults: [{ action: 'conflict', phase: 'before', count: 1 }],
      expect: async (laid) => {
        await throughDoubt(struck)(laid);
        const seconds = (await putOffFor(stack, laid, struck, 'unknown')) ?? assert.fail();
        assert.ok(seconds >= 1 && seconds <= 5, `put off for ${seconds} s`);
      },
    },
    {
      name: `a ${struck} that is unknown stays so through 429 and 409`,
      struck,
      faults: [
        { action: 'reset', phase: 'after', nth: [1] },
        { action: 'rate_limit', retryAfterSeconds: 0, nth: [2] },
        { action: 'conflict', nth: [3] },
      ],
      expect: async (laid) => {
        await paidOnce(laid);
        assert.equal(await historyOf(stack, laid, struck), 'in_flight unknown in_flight? unknown in_flight? unknown in_flight? done?');
      },
    },
    ...(['before', 'after'] as const).map((phase): Case => ({
      name: `500 kept under the key ${phase} the effect of a ${struck} is settled by reading, ${phase === 'after' ? 'without another send' : 'then sent under a new key'}`,
      struck,
      faults: [{ action: 'error', status: 500, stored: true, phase, count: 1 }],
      expect: async (laid) => {
        await paidOnce(laid);
        const sent = await sentFor(stack, laid, struck);
        assert.deepEqual(
          sent.map(({ generation, status }) => `${generation}:${status}`),
          phase === 'after' ? ['1:500', '1:500'] : ['1:500', '1:500', '2:200'],
        );
      },
    })),
    ...(
      [
        ['400 key reused with other parameters', answer(400, { type: 'idempotency_error' })],
        ['400 unknown parameter', answer(400, { type: 'invalid_request_error', code: 'parameter_unknown' })],
        ['404', answer(404, { type: 'invalid_request_error', code: 'resource_missing' })],
      ] as const
    ).map(([what, fault]): Case => ({
      name: `${what} to a ${struck} is parked: our bug or a wrong account`,
      struck,
      faults: [fault],
      expect: async (laid) => {
        await waitFor('the operation to be parked', async () => (await historyOf(stack, laid, struck)) === 'in_flight parked');
        const { status, payment } = await stack.readOrder(laid.id);
        assert.deepEqual([status, payment.pendingOperation], ['pending', 'confirm']);
        const { json } = await stack.call(`/v1/orders/${laid.id}/events`);
        assert.ok(JSON.stringify(json['data']).includes('"operation.parked"'));
        assert.equal((await sentFor(stack, laid, struck)).length, 1);
      },
    })),
  ]),
  {
    name: '400 to a create is rejected: the order failed, and nothing exists at Stripe',
    struck: 'create',
    faults: [answer(400, { type: 'invalid_request_error', code: 'amount_too_large' })],
    expect: async (laid) => {
      const { payment, amountCaptured } = await stack.orderIn(laid.id, 'failed');
      assert.deepEqual(
        [payment.status, payment.stripePaymentIntentId, payment.pendingOperation, payment.lastError?.code, amountCaptured],
        ['pending', null, null, 'amount_too_large', 0],
      );
      assert.equal((await sentFor(stack, laid, 'create')).length, 1);
      assert.deepEqual(await sentFor(stack, laid, 'confirm'), []);
    },
  },
  {
    name: '400 to a confirm is rejected: the order requires a payment and says why',
    struck: 'confirm',
    faults: [answer(400, { type: 'invalid_request_error', code: 'payment_method_unactivated' })],
    expect: async (laid) => {
      const { payment } = await stack.orderIn(laid.id, 'requires_payment');
      assert.deepEqual(
        [payment.status, payment.pendingOperation, payment.lastError?.code],
        ['requires_payment_method', null, 'payment_method_unactivated'],
      );
      assert.equal((await sentFor(stack, laid, 'confirm')).length, 1);
    },
  },
  {
    name: '400 to a confirm that took effect nonetheless is found done by reading the intent',
    struck: 'confirm',
    faults: [{ ...answer(400, { type: 'invalid_request_error', code: 'payment_intent_unexpected_state' }), phase: 'after' }],
    expect: async (laid) => {
      const { payment } = await paidOnce(laid);
      assert.equal(payment.lastError, null);
    },
  },
  {
    name: 'a decline whose answer is lost is found by the same key, and charged no further',
    struck: 'confirm',
    order: { paymentMethod: 'pm_card_chargeDeclined' },
    faults: [{ action: 'reset', phase: 'after', count: 1 }],
    expect: async (laid) => {
      const { payment } = await stack.orderIn(laid.id, 'requires_payment');
      assert.deepEqual([payment.lastError?.declineCode, payment.pendingOperation], ['generic_decline', null]);
      assert.deepEqual(await effectsOn(stack, payment.stripePaymentIntentId ?? ''), ['declined 2000 usd']);
    },
  },
  {
    name: 'an intent that another operation ordered is no answer to a create, and the same key settles it',
    struck: 'create',
    faults: [
      success(anIntent({ status: 'requires_payment_method', amount_received: 0, metadata: { oncepay_operation: 'op_of_another' } })),
    ],
    expect: throughDoubt('create'),
  },
  {
    name: 'a session that another operation ordered is no answer to a create, and the same key settles it',
    struck: 'create',
    order: { paymentMethod: undefined, checkout: 'hosted', returnUrl: 'https://shop.example/return' },
    faults: [
      success({
        id: 'cs_of_another',
        object: 'checkout.session',
        status: 'open',
        amount_total: 2_000,
        currency: 'usd',
        url: 'https://pay.example/cs_of_another',
        expires_at: Math.floor(Date.now() / 1_000) + 3_600,
        payment_intent: null,
        metadata: { oncepay_operation: 'op_of_another' },
      }),
    ],
    expect: async (laid) => {
      const { payment } = await stack.orderIn(laid.id, 'requires_payment');
      assert.doesNotMatch(payment.url ?? '', /cs_of_another/);
      assert.equal(await historyOf(stack, laid, 'create'), 'in_flight unknown in_flight? done?');
    },
  },
  {
    name: 'an intent of another amount than the order is never accepted',
    struck: 'create',
    faults: ({ operations }) => [
      success(
        anIntent({
          id: 'pi_of_another_amount',
          status: 'requires_payment_method',
          amount: 1,
          amount_received: 0,
          metadata: { oncepay_operation: operations.create },
        }),
      ),
    ],
    expect: async (laid) => {
      await waitFor('the operation to be parked', async () => (await historyOf(stack, laid, 'create')) === 'in_flight parked');
      const { status, payment } = await stack.readOrder(laid.id);
      assert.deepEqual([status, payment.stripePaymentIntentId], ['pending', null]);
      assert.deepEqual(await stack.database.query(`SELECT kind FROM discrepancies WHERE stripe_object_id = 'pi_of_another_amount'`), [
        { kind: 'amount_differs' },
      ]);
      assert.deepEqual(await sentFor(stack, laid, 'confirm'), []);
    },
  },
];

describe("Stripe's answer", () => {
  const laid = new Map<string, LaidOrder>();

  // All orders are laid and their ways spoilt while the worker is away, so that they wait for their back-off together.
  before(async () => {
    stack = await startStack({ withWorker: false, env: { STRIPE_TIMEOUT_MS: String(TIMEOUT_MS), ...WITHOUT_BREAKER } });
    await keepOutbox(stack.database);
    await keepHistory(stack.database);
    await Promise.all(
      CASES.map(async ({ name, struck, faults, order }) => {
        const accepted = await layOrder(stack, order);
        for (const fault of typeof faults === 'function' ? faults(accepted) : faults) await strike(stack, accepted, struck, fault);
        laid.set(name, accepted);
      }),
    );
    await stack.startWorker();
  });
  after(() => stack.close());

  for (const { name, expect } of CASES) {
    it(name, async () => {
      await expect(laid.get(name) ?? assert.fail());
    });
  }

  it('whatever it was, leaves the rules kept', () => assertRulesHold(stack));
});
