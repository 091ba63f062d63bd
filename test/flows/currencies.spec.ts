import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { type Stripe } from 'stripe';
import { CURRENCIES, currencyRule } from '#libs/primitives';
import { command, intentOf, refund, refundIn, refundsOf } from '../support/commands.js';
import { allIn } from '../support/many-orders.js';
import { effectAsText, effectsOn, journalOf, payInBrowser } from '../support/payment-facts.js';
import { assertProblem } from '../support/problem.js';
import { AN_ORDER, type OrderJson, type Stack, startStack } from '../support/stack.js';
import { anEvent, deliverTo, eventStatus } from '../support/stripe-events.js';
import { waitFor } from '../support/wait-for.js';

let stack: Stack;

before(async () => {
  stack = await startStack();
});
after(() => stack.close());

const ruleOf = (currency: string): NonNullable<ReturnType<typeof currencyRule>> =>
  currencyRule(currency) ?? assert.fail(`${currency} is unknown`);
const of = (currency: string, unitAmount: number): object => ({ currency, items: [{ name: 'Something', unitAmount, quantity: 1 }] });

/** The least, the most, and some amount between that Stripe takes in a currency. */
function amountsIn(currency: string, seed: number): { least: number; most: number; some: number } {
  const { minimum: least, maximum, step } = ruleOf(currency);
  const most = maximum - (maximum % step);
  // Large enough to return a part of it.
  const [some = least] = fc
    .sample(fc.integer({ min: Math.ceil(least / step) + 1, max: most / step }), { numRuns: 1, seed })
    .map((steps) => steps * step);
  return { least, most, some };
}

/** A few at a time, as a shop would send them. */
async function inTurns<T, R>(inputs: readonly T[], run: (input: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < inputs.length; start += 20)
    results.push(...(await Promise.all(inputs.slice(start, start + 20).map((input, index) => run(input, start + index)))));
  return results;
}

/** What Stripe holds of each order, by the order's id. */
async function intentsByOrder(): Promise<ReadonlyMap<string, Stripe.PaymentIntent>> {
  const intents = await stack.stripe.paymentIntents.list({ limit: 100 }).autoPagingToArray({ limit: 5_000 });
  return new Map(intents.map((intent) => [intent.metadata['oncepay_order'] ?? intent.id, intent]));
}

/** The last currency of each kind. */
const ONE_OF_EACH_KIND = new Set(new Map(CURRENCIES.map((currency) => [JSON.stringify(ruleOf(currency)), currency])).values());

/** An amount to be charged and the part of it to be returned. */
interface Charged {
  readonly currency: string;
  readonly amount: number;
  readonly part: number;
}

/** In each currency one end that a part can be returned of; in one of each kind, whose ends are both asked for besides, an amount between. */
const CHARGED: readonly Charged[] = CURRENCIES.map((currency, index) => {
  const { least, most, some } = amountsIn(currency, index);
  const { step } = ruleOf(currency);
  if (ONE_OF_EACH_KIND.has(currency)) return { currency, amount: some, part: least };
  return index % 2 === 0 && least > step ? { currency, amount: least, part: step } : { currency, amount: most, part: least };
});
const BOTH_ENDS = CURRENCIES.flatMap((currency, index) => {
  const { least, most } = amountsIn(currency, index);
  return ONE_OF_EACH_KIND.has(currency) ? [least, most].map((amount) => ({ currency, amount })) : [];
});

describe('every currency that Stripe charges in', () => {
  /** Stripe is asked for exactly what was ordered. */
  async function assertAsked(orders: readonly OrderJson[], asked: readonly { currency: string; amount: number }[]): Promise<void> {
    const intents = await intentsByOrder();
    for (const [index, { id, amount }] of orders.entries()) {
      const intent = intents.get(id);
      const { currency, amount: ordered } = asked[index] ?? assert.fail();
      assert.deepEqual([intent?.currency, intent?.amount, amount], [currency, ordered, ordered]);
    }
  }

  it('is asked for at Stripe with exactly the amount of the order, at both ends in one of each kind', async () => {
    const orders = await inTurns(BOTH_ENDS, ({ currency, amount }) => stack.order({ ...of(currency, amount), paymentMethod: null }));
    assert.equal(orders.length, 2 * ONE_OF_EACH_KIND.size);
    await assertAsked(await allIn(stack, orders, 'requires_payment'), BOTH_ENDS);
  });

  it('is charged and returned as it was ordered, neither times nor through 100, and both sides agree on what is left of it', async () => {
    const orders = await inTurns(CHARGED, ({ currency, amount }) => stack.order(of(currency, amount)));
    assert.equal(orders.length, CURRENCIES.length);
    await allIn(stack, orders, 'paid');
    await inTurns(orders, async ({ id }, index) => {
      const { part } = CHARGED[index] ?? assert.fail();
      assert.equal((await refund(stack, id, { amount: part })).amount, part);
    });
    const returned = await allIn(stack, orders, 'partially_refunded');
    await assertAsked(returned, CHARGED);
    const charges = await stack.stripe.charges.list({ limit: 100 }).autoPagingToArray({ limit: 5_000 });
    const byIntent = new Map(charges.map((charge) => [charge.payment_intent, charge]));
    const effects = await journalOf(stack, 'kind=effect');
    for (const [index, order] of returned.entries()) {
      const charge = byIntent.get(intentOf(order));
      const { currency, amount, part } = CHARGED[index] ?? assert.fail();
      assert.deepEqual([charge?.amount_captured, charge?.amount_refunded, charge?.currency], [amount, part, currency]);
      assert.deepEqual([order.amountCaptured, order.amountRefunded], [amount, part]);
      assert.deepEqual(effects.filter(({ paymentIntent }) => paymentIntent === intentOf(order)).map(effectAsText), [
        `authorized ${amount} ${currency}`,
        `captured ${amount} ${currency}`,
        `refunded ${part} ${currency}`,
      ]);
    }
  });

  it('is refused below its minimum, above its maximum, and between the steps Stripe takes', async () => {
    const refused = async (body: object, code: string): Promise<void> =>
      assertProblem(await stack.call('/v1/orders', { idempotencyKey: crypto.randomUUID(), body }), 400, code);
    await inTurns(CURRENCIES, async (currency, index) => {
      const { least, most } = amountsIn(currency, index);
      const { step } = ruleOf(currency);
      await refused(of(currency, least - 1), 'amount_too_small');
      await refused(
        {
          ...of(currency, most),
          items: [
            { name: 'a', unitAmount: most, quantity: 1 },
            { name: 'b', unitAmount: step, quantity: 1 },
          ],
        },
        'amount_too_large',
      );
      if (step > 1) await refused(of(currency, least + step - 1), 'validation_failed');
    });
  });

  it('is captured and returned in the steps Stripe takes, by us and by Stripe', async () => {
    const stepped = CURRENCIES.filter((currency) => ruleOf(currency).step > 1);
    assert.equal(stepped.length, 7);
    const orders = await inTurns(stepped, (currency) => stack.order({ ...of(currency, 100_000), captureMethod: 'manual' }));
    await inTurns(await allIn(stack, orders, 'authorized'), async (order, index) => {
      const { step } = ruleOf(stepped[index] ?? assert.fail());
      const tooPrecise = 10_000 + step - 1;
      for (const verb of ['capture', 'refunds']) {
        const answer = await command(stack, order.id, verb, { amount: tooPrecise });
        assertProblem(answer, 400, 'validation_failed');
        assert.deepEqual(
          (answer.json['errors'] as { field: string }[]).map(({ field }) => field),
          ['amount'],
        );
      }
      const { paymentIntents, refunds } = stack.stripe;
      await assert.rejects(paymentIntents.capture(intentOf(order), { amount_to_capture: tooPrecise }), /more precise/);
      assert.equal((await command(stack, order.id, 'capture', { amount: 10_000 + step })).status, 200);
      await stack.orderIn(order.id, 'paid');
      await assert.rejects(refunds.create({ payment_intent: intentOf(order), amount: step + 1 }), /more precise/);
      await refundIn(stack, (await refund(stack, order.id, { amount: step })).id, 'succeeded');
    });
  });
});

describe('an amount or a currency at Stripe that differs from ours', () => {
  async function unpaid(): Promise<OrderJson> {
    return stack.orderIn((await stack.order({ paymentMethod: null })).id, 'requires_payment');
  }

  /** Waits until the difference is written down; gives its kinds. */
  async function flagged(stripeObjectId: string): Promise<readonly string[]> {
    return waitFor(`a discrepancy about ${stripeObjectId}`, async () => {
      const rows = await stack.database.query<{ kind: string }>(
        'SELECT kind FROM discrepancies WHERE stripe_object_id = $1 ORDER BY kind',
        [stripeObjectId],
      );
      return rows.length > 0 && rows.map(({ kind }) => kind);
    });
  }

  const differences: readonly (readonly [string, string, object])[] = [
    ['a hundredth', 'amount_differs', { amount: 20, amount_received: 20 }],
    ['a hundred times as much', 'amount_differs', { amount: 200_000, amount_received: 200_000 }],
    ['one unit more', 'amount_differs', { amount: 2_001, amount_received: 2_001 }],
    ['another currency', 'currency_differs', { currency: 'jpy', amount_received: 2_000 }],
    ['more received than was asked for', 'captured_exceeds_amount', { amount_received: 2_001 }],
  ];
  for (const [what, kind, change] of differences) {
    it(`is flagged and never accepted as payment: ${what}`, async () => {
      const order = await unpaid();
      const intent = await stack.stripe.paymentIntents.retrieve(intentOf(order));
      const event = anEvent('payment_intent.succeeded', { ...intent, status: 'succeeded', ...change });
      assert.equal((await deliverTo(stack, event)).status, 200);
      assert.deepEqual(await flagged(intent.id), [kind]);
      await waitFor('the event to be dealt with', async () => (await eventStatus(stack, event.id)) === 'applied');
      const { status, amountCaptured } = await stack.readOrder(order.id);
      assert.deepEqual([status, amountCaptured], ['requires_payment', 0]);
    });
  }

  it('is not accepted either when somebody changed the intent at Stripe and it was paid', async () => {
    const order = await unpaid();
    await stack.stripe.paymentIntents.update(intentOf(order), { amount: 100 });
    await payInBrowser(stack, order, 'pm_card_visa');
    assert.deepEqual(await effectsOn(stack, intentOf(order)), ['authorized 100 usd', 'captured 100 usd']);
    assert.deepEqual(await flagged(intentOf(order)), ['amount_differs']);
    const { status, amountCaptured } = await stack.readOrder(order.id);
    assert.deepEqual([status, amountCaptured], ['requires_payment', 0]);
    const [found] = await stack.database.query<{ ours: { amount: number }; stripes: { amount: number } }>(
      'SELECT ours, stripes FROM discrepancies WHERE stripe_object_id = $1',
      [intentOf(order)],
    );
    assert.deepEqual([found?.ours.amount, found?.stripes.amount], [2_000, 100]);
  });

  it('is flagged of a refund too, and what we know of it stays', async () => {
    const order = await stack.orderIn((await stack.order(AN_ORDER)).id, 'paid');
    const { id } = await refund(stack, order.id, { amount: 500 });
    const { stripeRefundId } = await refundIn(stack, id, 'succeeded');
    const atStripe = await stack.stripe.refunds.retrieve(stripeRefundId ?? '');
    await deliverTo(stack, anEvent('refund.updated', { ...atStripe, amount: 50_000 }));
    assert.deepEqual(await flagged(atStripe.id), ['refund_amount_differs']);
    await deliverTo(stack, anEvent('refund.created', { ...atStripe, id: 're_elsewhere', currency: 'jpy', metadata: {} }));
    assert.deepEqual(await flagged('re_elsewhere'), ['refund_currency_differs']);
    assert.deepEqual(
      (await refundsOf(stack, order.id)).map(({ amount, currency, status }) => [amount, currency, status]),
      [[500, 'usd', 'succeeded']],
    );
    assert.equal((await command(stack, order.id, 'refunds', { amount: 1_501 })).json['code'], 'refund_exceeds_captured');
  });
});
