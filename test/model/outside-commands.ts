import fc from 'fast-check';
import { payInBrowser } from '../support/payment-facts.js';
import { CARDS, onOrder, pick, type Step } from './merchant-commands.js';
import { LEAPS_MAX, type ModelOrder, type OrderSeen } from './model.js';
import { type Sequence } from './sequence.js';

const succeeds = fc.boolean();

/** Most attempts leave an order open for the next, so that there is something to mix up. */
const attempt = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(...CARDS) },
  { weight: 2, arbitrary: fc.constantFrom(...CARDS.filter((card) => /declined|required/i.test(card))) },
);

type WeightedStep = { readonly weight: number; readonly arbitrary: fc.Arbitrary<Step> };

/** What others do at Stripe, past us: buyers, their banks, an employee with Stripe's dashboard. */
export const outsideSteps: readonly WeightedStep[] = [
  { weight: 7, arbitrary: fc.record({ of: pick, paymentMethod: attempt }).map(payThere) },
  { weight: 5, arbitrary: fc.record({ of: pick, succeeds }).map(authenticate) },
  { weight: 1, arbitrary: fc.record({ of: pick, succeeds }).map(settleDebit) },
  { weight: 2, arbitrary: fc.record({ of: pick, amount: fc.constantFrom(1, 700, 2_000) }).map(refundThere) },
  { weight: 1, arbitrary: pick.map(cancelThere) },
  { weight: 4, arbitrary: fc.record({ of: pick, which: fc.nat({ max: 5 }), succeeds }).map(settleRefund) },
  { weight: 2, arbitrary: fc.record({ of: pick, inquiry: fc.boolean() }).map(dispute) },
  { weight: 3, arbitrary: fc.record({ of: pick, succeeds }).map(closeDispute) },
];

/** Time, which ends what nobody has paid or captured. */
export const leaps: WeightedStep = { weight: 1, arbitrary: fc.constantFrom(25, 25, 8 * 24).map(leap) };

/** The intent of an order, once the order tells of one. Stripe refuses what does not fit its state, which is fine. */
function atStripe(name: string, of: number, act: (sequence: Sequence, intentId: string, order: ModelOrder) => Promise<unknown>): Step {
  return onOrder(name, of, async (sequence, target) => {
    const { order } = await sequence.read(target.id);
    const intentId = order.payment.stripePaymentIntentId;
    if (intentId !== null) await act(sequence, intentId, target);
  });
}

/** Stripe lets nobody but its page confirm the intent of a session. */
function payThere({ of, paymentMethod }: { of: number; paymentMethod: string }): Step {
  return onOrder(`the buyer pays(${paymentMethod})`, of, async (sequence, target) => {
    const { order } = await sequence.read(target.id);
    const sessionId = sessionOf(order);
    if (sessionId !== null) await sequence.stack.control(`/_sim/checkout/sessions/${sessionId}/pay`, { paymentMethod });
    else if (order.payment.clientSecret !== null && !target.isHosted) await payInBrowser(sequence.stack, order, paymentMethod);
  });
}

function authenticate({ of, succeeds: isDone }: { of: number; succeeds: boolean }): Step {
  return atStripe(`3-D Secure ${isDone ? 'succeeds' : 'fails'}`, of, ({ stack }, id) =>
    stack.control(`/_sim/payment_intents/${id}/next_action`, outcome(isDone)),
  );
}

function settleDebit({ of, succeeds: isPaid }: { of: number; succeeds: boolean }): Step {
  return atStripe(`debit ${isPaid ? 'succeeds' : 'fails'}`, of, ({ stack }, id) =>
    stack.control(`/_sim/payment_intents/${id}/settle`, outcome(isPaid)),
  );
}

function refundThere({ of, amount }: { of: number; amount: number }): Step {
  return atStripe(`refund ${amount} in the dashboard`, of, ({ stack }, id) =>
    stack.stripe.refunds.create({ payment_intent: id, amount }).catch(() => null),
  );
}

/** As long as its page takes a payment, Stripe ends a hosted order by its session alone. */
function cancelThere(of: number): Step {
  return onOrder('cancel in the dashboard', of, async (sequence, target) => {
    const { order } = await sequence.read(target.id);
    const { stripe } = sequence.stack;
    const [sessionId, intentId] = [sessionOf(order), order.payment.stripePaymentIntentId];
    if (sessionId !== null) {
      const expired = await stripe.checkout.sessions.expire(sessionId).catch(() => null);
      if (expired !== null) target.isExpiredThere = true;
    } else if (intentId !== null) await stripe.paymentIntents.cancel(intentId).catch(() => null);
  });
}

/** The Checkout Session whose page an order shows. */
function sessionOf({ payment }: OrderSeen): string | null {
  return payment.url?.split('/').at(-1) ?? null;
}

function settleRefund({ of, which, succeeds: isPaid }: { of: number; which: number; succeeds: boolean }): Step {
  return atStripe(`refund ${which} ${isPaid ? 'succeeds' : 'fails'}`, of, async ({ stack }, id) => {
    const { data } = await stack.stripe.refunds.list({ payment_intent: id, limit: 100 });
    const refund = data[which % Math.max(1, data.length)];
    if (refund !== undefined) await stack.control(`/_sim/refunds/${refund.id}/settle`, outcome(isPaid));
  });
}

function dispute({ of, inquiry }: { of: number; inquiry: boolean }): Step {
  return atStripe(inquiry ? 'inquiry' : 'dispute', of, async ({ stack }, id) => {
    const { data } = await stack.stripe.charges.list({ payment_intent: id, limit: 100 });
    for (const charge of data) await stack.control(`/_sim/charges/${charge.id}/dispute`, { reason: 'fraudulent', inquiry });
  });
}

function closeDispute({ of, succeeds: isWon }: { of: number; succeeds: boolean }): Step {
  return atStripe(`dispute ${isWon ? 'won' : 'lost'}`, of, async ({ stack }, id) => {
    const { data } = await stack.stripe.disputes.list({ payment_intent: id, limit: 100 });
    for (const { id: disputeId } of data) await stack.control(`/_sim/disputes/${disputeId}/close`, outcome(isWon));
  });
}

/** After 25 hours orders expire and Stripe has forgotten its idempotency keys; after 8 days authorisations have lapsed. */
function leap(hours: number): Step {
  return {
    check: ({ orders, leaps }) => orders.length > 0 && leaps < LEAPS_MAX,
    run: async (model, { stack }) => {
      model.leaps += 1;
      await stack.control('/_sim/clock', { advanceSeconds: hours * 3_600 });
    },
    toString: () => `${hours} hours pass`,
  };
}

function outcome(isGood: boolean): { outcome: 'succeeded' | 'failed' } {
  return { outcome: isGood ? 'succeeded' : 'failed' };
}
