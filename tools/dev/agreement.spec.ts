import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { disagreements, type OurSide, type StripeCharge, type StripeIntent, stripeSideOf } from './agreement.js';

const order: OurSide = {
  id: 'ord_1',
  status: 'paid',
  amount: 2_000,
  amountCaptured: 2_000,
  currency: 'eur',
  payment: { stripePaymentIntentId: 'pi_1' },
};
const intent: StripeIntent = { id: 'pi_1', status: 'succeeded', amount: 2_000, currency: 'eur', metadata: { oncepay_order: 'ord_1' } };
const charge: StripeCharge = {
  id: 'ch_1',
  status: 'succeeded',
  amount: 2_000,
  amount_captured: 2_000,
  currency: 'eur',
  payment_intent: 'pi_1',
};
const declined: StripeCharge = { ...charge, id: 'ch_0', status: 'failed', amount_captured: 0 };

describe('both sides of an order', () => {
  it('agree on one successful charge of its amount, whatever was declined before it', () => {
    assert.deepEqual(disagreements(order, { intents: [intent], charges: [declined, charge] }), []);
  });

  for (const [what, ours, intents, charges] of [
    ['the charge is missing', order, [intent], [declined]],
    ['there is a second charge', order, [intent], [charge, { ...charge, id: 'ch_2' }]],
    ['the charge has another amount', order, [intent], [{ ...charge, amount: 1_999 }]],
    ['less was captured than we say', order, [intent], [{ ...charge, amount_captured: 1_000 }]],
    ['the charge has another currency', order, [intent], [{ ...charge, currency: 'usd' }]],
    ['there is a second intent', order, [intent, { ...intent, id: 'pi_2' }], [charge]],
    ['we name another intent', { ...order, payment: { stripePaymentIntentId: 'pi_9' } }, [intent], [charge]],
    ['the intent has not succeeded', order, [{ ...intent, status: 'processing' }], [charge]],
    ['we do not call the order paid', { ...order, status: 'pending' }, [intent], [charge]],
    ['we captured less than the order', { ...order, amountCaptured: 0 }, [intent], [charge]],
  ] as const) {
    it(`disagree when ${what}`, () => {
      assert.notDeepEqual(disagreements(ours, { intents, charges }), []);
    });
  }

  it('are found by the order that Stripe itself noted, so that a charge we forgot counts', () => {
    const forgotten: StripeIntent = { ...intent, id: 'pi_2' };
    const others = [{ ...intent, id: 'pi_3', metadata: { oncepay_order: 'ord_2' } }];
    const charges = [charge, { ...charge, id: 'ch_2', payment_intent: 'pi_2' }, { ...charge, id: 'ch_3', payment_intent: 'pi_3' }];
    const side = stripeSideOf('ord_1', [intent, forgotten, ...others], charges);
    assert.deepEqual(
      [side.intents.map(({ id }) => id), side.charges.map(({ id }) => id)],
      [
        ['pi_1', 'pi_2'],
        ['ch_1', 'ch_2'],
      ],
    );
  });
});
