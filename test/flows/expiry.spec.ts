import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { becomeDue, command, intentOf, operationIn, operationsOf, timelineOf } from '../support/commands.js';
import { effectsOn, payInBrowser } from '../support/payment-facts.js';
import { assertProblem } from '../support/problem.js';
import { type OrderJson, type Stack, startStack } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

const EXPIRES_AFTER_SECONDS = 3_600;
const UNPAID = { paymentMethod: undefined };

/** How each order that must not expire is brought where it is. */
const UNTOUCHED = {
  processing: { paymentMethod: 'pm_simulator_processing' },
  authorized: { captureMethod: 'manual' },
  paid: {},
} as const;

let stack: Stack;
const orders = new Map<string, OrderJson>();
const named = (name: string): OrderJson => orders.get(name) ?? assert.fail(`no order ${name}`);

describe(`an order that nobody has paid ${EXPIRES_AFTER_SECONDS} s after its creation`, () => {
  before(async () => {
    stack = await startStack({ virtualClock: true, env: { ORDER_EXPIRES_AFTER_SECONDS: String(EXPIRES_AFTER_SECONDS) } });
    const lay = async (name: string, status: string, overrides: object): Promise<OrderJson> => {
      const order = await stack.orderIn((await stack.order(overrides)).id, status);
      orders.set(name, order);
      return order;
    };
    await Promise.all([
      lay('requires_payment', 'requires_payment', UNPAID),
      lay('declined', 'requires_payment', { paymentMethod: 'pm_card_chargeDeclined' }),
      lay('requires_action', 'requires_action', { paymentMethod: 'pm_card_authenticationRequired' }),
      lay('won', 'requires_payment', UNPAID),
      lay('won in 3-D Secure', 'requires_action', { paymentMethod: 'pm_card_authenticationRequired' }),
      lay('debited', 'requires_payment', UNPAID),
      lay('held', 'requires_payment', { ...UNPAID, captureMethod: 'manual' }),
      ...Object.entries(UNTOUCHED).map(([status, overrides]) => lay(status, status, overrides)),
    ]);
    await layBusy('cancel');
    await layBusy('pay');
    // What its buyers do from now on, Stripe does not tell.
    await stack.control('/_sim/webhooks', { action: 'drop' });
    assert.equal((await payInBrowser(stack, named('won'), 'pm_card_visa')).status, 200);
    assert.equal((await payInBrowser(stack, named('debited'), 'pm_simulator_processing')).status, 200);
    assert.equal((await payInBrowser(stack, named('held'), 'pm_card_visa')).status, 200);
    await stack.control(`/_sim/payment_intents/${intentOf(named('won in 3-D Secure'))}/next_action`, { outcome: 'succeeded' });
    await stack.control('/_sim/clock', { advanceSeconds: EXPIRES_AFTER_SECONDS - 60 });
  });
  after(() => stack.close());

  /** An order whose operation Stripe refuses to take for now. */
  async function layBusy(operation: 'cancel' | 'pay'): Promise<void> {
    const order = await stack.orderIn((await stack.order(UNPAID)).id, 'requires_payment');
    orders.set(`busy: ${operation}`, order);
    const verb = operation === 'pay' ? 'confirm' : operation;
    await stack.control('/_sim/faults', {
      path: `/v1/payment_intents/${intentOf(order)}/${verb}`,
      method: 'POST',
      action: '429',
      retryAfterSeconds: 3_600,
    });
    await command(stack, order.id, operation, operation === 'pay' ? { paymentMethod: 'pm_card_visa' } : undefined);
    await waitFor('the operation to be put off', async () => {
      const [row] = await stack.database.query<{ attempts: number }>('SELECT attempts FROM payment_operations WHERE id = $1::uuid', [
        (await operationsOf(stack, order.id)).at(-1)?.id,
      ]);
      return row !== undefined && row.attempts > 0;
    });
  }

  it('has stayed what it was a minute before', async () => {
    const fresh = await stack.orderIn((await stack.order()).id, 'paid');
    assert.equal(fresh.status, 'paid');
    for (const name of ['requires_payment', 'requires_action']) {
      const { status, payment } = await stack.readOrder(named(name).id);
      assert.deepEqual([status, payment.pendingOperation], [name, null]);
    }
    await stack.control('/_sim/clock', { advanceSeconds: 120 });
  });

  for (const name of ['requires_payment', 'declined', 'requires_action']) {
    it(`is expired when it is ${name}, its intent canceled at Stripe so that nobody can pay it any more`, async () => {
      const { id } = named(name);
      const expired = await stack.orderIn(id, 'expired');
      assert.deepEqual([expired.payment.status, expired.payment.pendingOperation], ['canceled', null]);
      const intent = await stack.stripe.paymentIntents.retrieve(intentOf(expired));
      assert.deepEqual([intent.status, intent.cancellation_reason], ['canceled', 'abandoned']);
      assert.equal((await operationsOf(stack, id)).filter(({ ordered_by: by }) => by === 'expiry').length, 1);
      assert.equal((await payInBrowser(stack, named(name), 'pm_card_visa')).status, 400);

      const key = crypto.randomUUID();
      const refused = await command(stack, id, 'pay', { paymentMethod: 'pm_card_visa' }, { key });
      assertProblem(refused, 409, 'order_not_payable');
      assert.equal((await command(stack, id, 'pay', { paymentMethod: 'pm_card_visa' }, { key })).text, refused.text);
      for (const [verb, code] of [
        ['capture', 'order_not_capturable'],
        ['cancel', 'order_not_cancelable'],
        ['refunds', 'order_not_refundable'],
      ] as const) {
        assertProblem(await command(stack, id, verb), 409, code);
      }
    });
  }

  for (const name of ['won', 'won in 3-D Secure']) {
    it(`is paid, never expired, when its buyer's success ${name === 'won' ? '' : 'in 3-D Secure '}was faster than the expiry`, async () => {
      const { id } = named(name);
      const paid = await stack.orderIn(id, 'paid');
      assert.deepEqual([paid.amountCaptured, paid.payment.lastError], [2_000, null]);
      assert.deepEqual(await effectsOn(stack, intentOf(paid)), ['authorized 2000 usd', 'captured 2000 usd']);
      const seen = (await timelineOf(stack, id)).filter(({ type }) => type.startsWith('order.')).map(({ type }) => type);
      assert.ok(!seen.includes('order.expired'), seen.join());
    });
  }

  it('is processing, not expired, when its buyer has ordered a bank debit meanwhile', async () => {
    const order = await stack.orderIn(named('debited').id, 'processing');
    await operationIn(stack, order.id, 'cancel', 'withdrawn');
    assert.equal((await stack.readOrder(order.id)).payment.status, 'processing');
  });

  it('is authorized, not expired, when its buyer has authorized it meanwhile', async () => {
    const order = await stack.orderIn(named('held').id, 'authorized');
    await operationIn(stack, order.id, 'cancel', 'withdrawn');
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 2000 usd']);
  });

  for (const status of Object.keys(UNTOUCHED)) {
    it(`is left alone when it is ${status}`, async () => {
      await stack.orderIn(named('requires_payment').id, 'expired');
      const { id } = named(status);
      assert.equal((await stack.readOrder(id)).status, status);
      assert.equal(
        (await operationsOf(stack, id)).some(({ kind }) => kind === 'cancel'),
        false,
      );
    });
  }

  for (const [operation, end] of [
    ['cancel', 'canceled'],
    ['pay', 'paid'],
  ] as const) {
    it(`is left to its open operation, ${operation}, and becomes ${end}`, async () => {
      await stack.orderIn(named('requires_payment').id, 'expired');
      const { id } = named(`busy: ${operation}`);
      assert.equal(
        (await operationsOf(stack, id)).some(({ ordered_by: by }) => by === 'expiry'),
        false,
      );
      await stack.control('/_sim/faults', undefined, 'DELETE');
      await becomeDue(stack, (await operationsOf(stack, id)).at(-1)?.id ?? '');
      await stack.orderIn(id, end);
    });
  }

  it('is said to have expired on its timeline, with the operation that did it as cause', async () => {
    const { id } = named('requires_payment');
    const end = (await timelineOf(stack, id)).find(({ type }) => type === 'order.expired');
    assert.match(end?.cause ?? '', /^operation:op_/);
    assert.equal(end?.data['from'], 'requires_payment');
  });
});
