import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CURRENCIES, currencyRule, DomainError, MAXIMUM_AMOUNT } from '#libs/primitives';
import { aPayment } from '../../../test/support/a-payment.js';
import { captureIntentParams, createIntentParams, refundParams } from '../../payments/src/intent-request.js';
import { judge } from '../../payments/src/observation.js';
import { type PaymentState } from '../../payments/src/payment.js';
import { judgeRefund } from '../../payments/src/refund-observation.js';
import { judgeSession } from '../../payments/src/session-observation.js';
import { createSessionParams } from '../../payments/src/session-request.js';
import { readCheckoutSession, readPaymentIntent, readRefund } from '../../payments/src/stripe/stripe-objects.js';
import { type RequestedItem } from './order.js';
import { priceItems } from './price-items.js';
import { type Price } from './prices.store.js';

const CATALOGUE: ReadonlyMap<string, Price> = new Map(
  [
    { id: 'tshirt', name: 'T-shirt', currency: 'usd', unitAmount: 2_000, active: true },
    { id: 'retired', name: 'Retired', currency: 'usd', unitAmount: 2_000, active: false },
    { id: 'tee-eur', name: 'T-shirt', currency: 'eur', unitAmount: 1_900, active: true },
  ].map((price) => [price.id, price]),
);

const named = (unitAmount: number, quantity = 1): RequestedItem => ({ name: 'Gift wrap', unitAmount, quantity });

function price(
  items: readonly RequestedItem[],
  currency = 'usd',
  audience: 'secret' | 'publishable' = 'secret',
): ReturnType<typeof priceItems> {
  return priceItems(items, currency, audience, CATALOGUE);
}

function refusal(run: () => unknown): DomainError {
  try {
    run();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  return assert.fail('the items were priced');
}

describe('the lines of an order', () => {
  it('take name and amount from the catalogue, or from a caller with a secret key', () => {
    const { items, amount } = price([{ price: 'tshirt', quantity: 2 }, named(300)]);
    assert.deepEqual(items, [
      { price: 'tshirt', name: 'T-shirt', unitAmount: 2_000, quantity: 2 },
      { price: null, name: 'Gift wrap', unitAmount: 300, quantity: 1 },
    ]);
    assert.equal(amount, 4_300);
  });

  it('come from the catalogue only with a publishable key', () => {
    assert.equal(price([{ price: 'tshirt', quantity: 1 }], 'usd', 'publishable').amount, 2_000);
    const { code, errors } = refusal(() => price([{ price: 'tshirt', quantity: 1 }, named(1)], 'usd', 'publishable'));
    assert.deepEqual([code, errors.map(({ field }) => field)], ['validation_failed', ['items.1.unitAmount']]);
  });

  it('are refused all at once, each by its place: unknown, retired, in another currency', () => {
    const { code, errors } = refusal(() =>
      price(['nothing', 'retired', 'tee-eur', '__proto__', 'tshirt'].map((id) => ({ price: id, quantity: 1 }))),
    );
    assert.equal(code, 'validation_failed');
    assert.deepEqual(errors, [
      { field: 'items.0.price', message: 'is no active price: nothing' },
      { field: 'items.1.price', message: 'is no active price: retired' },
      { field: 'items.2.price', message: 'is in eur, the order in usd' },
      { field: 'items.3.price', message: 'is no active price: __proto__' },
    ]);
  });
});

describe('the total of an order', () => {
  it("lies within Stripe's limits for its currency, both included", () => {
    for (const currency of CURRENCIES) {
      const { minimum, maximum, step } = currencyRule(currency) ?? assert.fail();
      const most = maximum - (maximum % step);
      assert.equal(price([named(minimum)], currency).amount, minimum);
      assert.equal(price([named(most)], currency).amount, most);
      assert.equal(refusal(() => price([named(minimum - 1)], currency)).code, 'amount_too_small', currency);
      assert.equal(refusal(() => price([named(most), named(step)], currency)).code, 'amount_too_large', currency);
      assert.equal(refusal(() => price([named(maximum + 1)], currency)).code, 'amount_too_large', currency);
      assert.equal(refusal(() => price([named(0)], currency)).code, 'amount_too_small', currency);
    }
  });

  it('is a multiple of what Stripe takes: JPY has no cents, KWD ends in 0, ISK and UGX end in 00', () => {
    assert.equal(price([named(55)], 'jpy').amount, 55);
    for (const [currency, wrong, right] of [
      ['kwd', 1_005, 1_010],
      ['isk', 1_050, 1_100],
      ['ugx', 1_001, 1_000],
    ] as const) {
      const { code, errors } = refusal(() => price([named(wrong)], currency));
      assert.deepEqual([code, errors[0]?.field], ['validation_failed', 'items'], currency);
      assert.equal(price([named(right)], currency).amount, right);
    }
  });

  it('is what counts: lines below the minimum or off the step may add up', () => {
    assert.equal(price([named(1, 49), named(1)]).amount, 50);
    assert.equal(price([named(505), named(505)], 'kwd').amount, 1_010);
  });

  it('names the limit as people write it', () => {
    assert.match(refusal(() => price([named(49)])).detail, /0\.49 USD.*at least 0\.50 USD/);
    assert.match(refusal(() => price([named(49)], 'jpy')).detail, /49 JPY.*at least 50 JPY/);
    assert.match(refusal(() => price([named(MAXIMUM_AMOUNT), named(1)])).detail, /more than 999999\.99 USD/);
  });

  it('is refused in a currency Stripe does not charge in', () => {
    const { code, errors } = refusal(() => price([named(1_000)], 'xxx'));
    assert.deepEqual([code, errors.map(({ field }) => field)], ['validation_failed', ['currency']]);
  });

  it('is the exact sum of its lines, whatever their order', () => {
    const line = fc.record({
      name: fc.constant('x'),
      unitAmount: fc.nat({ max: MAXIMUM_AMOUNT }),
      quantity: fc.integer({ min: 1, max: 10_000 }),
    });
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 100 }), (lines) => {
        const exact = lines.reduce((sum, { unitAmount, quantity }) => sum + BigInt(unitAmount) * BigInt(quantity), 0n);
        const outcome = (items: typeof lines): string => {
          try {
            return String(price(items).amount);
          } catch (error) {
            return error instanceof DomainError ? error.code : 'crash';
          }
        };
        const expected = exact < 50n ? 'amount_too_small' : exact > BigInt(MAXIMUM_AMOUNT) ? 'amount_too_large' : String(exact);
        assert.equal(outcome(lines), expected);
        assert.equal(outcome([...lines].reverse()), expected);
      }),
      { numRuns: 500 },
    );
  });

  it('is the exact sum of small lines too', () => {
    const line = fc.record({ name: fc.constant('x'), unitAmount: fc.nat({ max: 10_000 }), quantity: fc.integer({ min: 1, max: 10 }) });
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 20 }), (lines) => {
        const sum = lines.reduce((total, { unitAmount, quantity }) => total + unitAmount * quantity, 0);
        fc.pre(sum >= 50);
        assert.equal(price(lines).amount, sum);
      }),
    );
  });
});

/** Amounts of an order, of what is captured of it and of what of that is returned, in the steps of their currency. */
interface Amounts {
  readonly currency: string;
  readonly step: number;
  readonly ordered: number;
  readonly captured: number;
  readonly returned: number;
}

function amountsIn(currency: string): fc.Arbitrary<Amounts> {
  const { minimum, maximum, step } = currencyRule(currency) ?? assert.fail();
  const upTo = (steps: number): fc.Arbitrary<number> => fc.integer({ min: 1, max: steps });
  return fc
    .integer({ min: Math.ceil(minimum / step), max: Math.floor(maximum / step) })
    .chain((ordered) => upTo(ordered).chain((captured) => upTo(captured).map((returned) => ({ ordered, captured, returned }))))
    .map(({ ordered, captured, returned }) => ({
      currency,
      step,
      ordered: ordered * step,
      captured: captured * step,
      returned: returned * step,
    }));
}

describe('an amount', () => {
  const IDS = { instance: 'tests', orderId: crypto.randomUUID(), operationId: crypto.randomUUID() };
  const NOW = new Date();

  /** The number that reaches Stripe in a form: whole, and of the digits that Stripe takes in the currency. */
  function sent(amount: unknown, currency: string): number {
    const digits = ['isk', 'ugx'].includes(currency)
      ? /^\d+00$/
      : ['bhd', 'jod', 'kwd', 'omr', 'tnd'].includes(currency)
        ? /^\d+0$/
        : /^\d+$/;
    assert.match(String(amount), digits, currency);
    return Number(String(amount));
  }

  /** What is known of a payment after Stripe has said this of its intent. */
  function after(payment: PaymentState, said: object): PaymentState {
    const seen = readPaymentIntent({ id: 'pi_1', object: 'payment_intent', metadata: {}, ...said }) ?? assert.fail();
    const verdict = judge(payment, seen, true);
    return verdict.verdict === 'apply'
      ? { ...payment, ...verdict.facts, amountCaptured: verdict.amountCaptured }
      : assert.fail(JSON.stringify(verdict));
  }

  function assertCaptured({ currency, ordered, captured }: Amounts): PaymentState {
    const params = createIntentParams({
      ...IDS,
      amount: ordered,
      currency,
      captureMethod: 'manual',
      returnUrl: null,
      saveCard: false,
      metadata: {},
    });
    const said = { amount: sent(params.amount, currency), currency: params.currency };
    const authorized = after(aPayment({ amount: ordered, currency }), { ...said, status: 'requires_capture', amount_received: 0 });
    const received = sent(captureIntentParams(captured).amount_to_capture, currency);
    const paid = after(authorized, { ...said, status: 'succeeded', amount_received: received });
    assert.equal(paid.amountCaptured, captured);
    return paid;
  }

  function assertReturned(paid: PaymentState, { currency, returned }: Amounts): void {
    const { amount, metadata } = refundParams({ ...IDS, amount: returned, reason: null });
    const said = { id: 're_1', object: 'refund', status: 'succeeded', currency, amount: sent(amount, currency), metadata };
    const seen = readRefund({ ...said, payment_intent: 'pi_1' }) ?? assert.fail();
    const ours = { id: 'r1', status: 'pending', amount: returned, reason: null, failureReason: null, stripeRefundId: null } as const;
    // As we ordered it, and as one that we hear of from Stripe alone.
    for (const refunds of [[ours], []]) {
      const verdict = judgeRefund({ ...paid, refunds }, seen, ours.id, () => 'new');
      assert.equal(verdict.verdict === 'apply' && verdict.refund.amount, returned);
    }
  }

  function assertShown({ currency, step, ordered }: Amounts): void {
    const { items, amount } = price(ordered > step ? [named(step), named(ordered - step)] : [named(ordered)], currency);
    assert.equal(amount, ordered);
    const { line_items: lines = [] } = createSessionParams({
      ...IDS,
      items,
      currency,
      captureMethod: 'automatic',
      returnUrl: 'https://shop.example/return',
      saveCard: false,
      metadata: {},
      customerEmail: null,
      createdAt: NOW,
      lifeSeconds: 3_600,
    });
    const total = lines.reduce((sum, { price_data: data, quantity = 0 }) => sum + (data?.unit_amount ?? 0) * quantity, 0);
    const said = {
      id: 'cs_1',
      object: 'checkout.session',
      status: 'open',
      url: 'https://pay.example',
      expires_at: 1,
      payment_intent: null,
    };
    const seen = readCheckoutSession({ ...said, amount_total: sent(total, currency), currency: lines[0]?.price_data?.currency });
    const { verdict } = judgeSession(aPayment({ amount: ordered, currency, checkout: 'hosted' }), seen ?? assert.fail(), true, NOW);
    assert.equal(verdict, 'apply');
  }

  it('is the same whole number on its way to Stripe and back, of an order, a capture and a refund, in every currency', () => {
    for (const currency of CURRENCIES) {
      const bothWays = fc.property(amountsIn(currency), (amounts) => {
        assertShown(amounts);
        assertReturned(assertCaptured(amounts), amounts);
      });
      fc.assert(bothWays, { numRuns: 3 });
    }
  });
});
