import { agrees, compare, type MoneyFact, note, type Run } from './compare-with-stripe.js';
import { isFinal } from './observation.js';
import { type PaymentState } from './payment.js';
import { findPaymentByIntent, findPaymentsByIntents } from './payments.store.js';
import { reconcilePayment } from './reconcile-payments.js';
import { type RefundObservation } from './refund-observation.js';

/** Compares one page of Stripe's refunds with ours and adds their ids to `seen`; one made elsewhere becomes known by it. */
export async function reconcileRefunds(run: Run, refunds: readonly RefundObservation[], seen: Set<string>): Promise<void> {
  const intentIds = refunds.flatMap(({ paymentIntentId }) => paymentIntentId ?? []);
  const known = await findPaymentsByIntents(run.payments.database.autocommit, intentIds);
  for (const refund of refunds) {
    seen.add(refund.id);
    const payment = known.find(
      ({ stripePaymentIntentId }) => stripePaymentIntentId !== null && stripePaymentIntentId === refund.paymentIntentId,
    );
    if (payment === undefined) await reconcileStray(run, refund);
    else await reconcileRefund(run, payment, refund);
  }
}

/** Compares the refunds of a payment that Stripe's list has not shown. */
export async function reconcileRefundsOf(run: Run, { orderId, refunds }: PaymentState, seen: ReadonlySet<string>): Promise<void> {
  for (const { stripeRefundId } of refunds) {
    if (stripeRefundId === null || seen.has(stripeRefundId)) continue;
    await compare(run, { orderId, object: 'refund', id: stripeRefundId }, () => readRefund(run, stripeRefundId));
  }
}

async function reconcileRefund(run: Run, payment: PaymentState, refund: RefundObservation): Promise<void> {
  // Only what was paid is returned: we have missed the payment too.
  if (!isFinal(payment.status) && !run.dryRun) {
    await reconcilePayment(run, payment, null);
    const now = await findPaymentByIntent(run.payments.database.autocommit, refund.paymentIntentId ?? '');
    if (now === null || !isFinal(now.status)) return run.draft.count('unsettled');
  }
  const fact: MoneyFact = { of: 'refund', seen: refund };
  if (agrees(payment, fact, run)) return run.draft.count('equal');
  return compare(run, { orderId: payment.orderId, object: 'refund', id: refund.id }, () => readRefund(run, refund.id));
}

/** One that we ordered for a payment we do not know; what others made, who may share the account, is not ours. */
function reconcileStray(run: Run, refund: RefundObservation): Promise<void> {
  if (refund.instance !== run.instance) return Promise.resolve();
  const fact: MoneyFact = { of: 'refund', seen: refund };
  return note(run, 'missingHere', 'object_without_order', { object: 'refund', id: refund.id, payment: null, fact });
}

async function readRefund({ payments: { gateway } }: Run, id: string): Promise<MoneyFact> {
  return { of: 'refund', seen: await gateway.retrieveRefund(id) };
}
