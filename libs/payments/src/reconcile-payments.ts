import { orderOrphanCancellation } from './cancel-orphan.js';
import { agrees, compare, differenceOf, type MoneyFact, note, type Run } from './compare-with-stripe.js';
import { isFinal, type PaymentIntentObservation } from './observation.js';
import { findOrderedBy } from './observe-event.js';
import { isUnconfirmed } from './orphan.js';
import { isOpen, type PaymentState } from './payment.js';
import { findPaymentsByIntents, findPaymentsBySessions } from './payments.store.js';
import { type SessionObservation } from './session-observation.js';

/**
 * Compares one page of Stripe's intents with our payments and adds those that were compared to `seen`. What carries our metadata and
 * is no payment's is ordered to be canceled, if an earlier create left it behind unconfirmed, or written down.
 */
export async function reconcileIntents(run: Run, intents: readonly PaymentIntentObservation[], seen: Set<string>): Promise<void> {
  const { autocommit } = run.payments.database;
  const known = await findPaymentsByIntents(
    autocommit,
    intents.map(({ id }) => id),
  );
  for (const intent of intents) {
    const payment = known.find(({ stripePaymentIntentId }) => stripePaymentIntentId === intent.id);
    if (payment !== undefined) {
      await reconcilePayment(run, payment, intent);
      seen.add(payment.orderId);
    } else if (intent.instance === run.instance) await reconcileStray(run, intent, seen);
  }
}

/**
 * Compares one page of Stripe's Checkout Sessions with our payments and adds those that were compared to `seen`. A session that has made
 * its intent is told of by it, which carries the same metadata; one without may still be paid, so that where our row of it is lost, it is
 * written down.
 */
export async function reconcileSessions(run: Run, sessions: readonly SessionObservation[], seen: Set<string>): Promise<void> {
  const untold = sessions.filter(({ paymentIntentId }) => paymentIntentId === null);
  const known = await findPaymentsBySessions(
    run.payments.database.autocommit,
    untold.map(({ id }) => id),
  );
  for (const session of untold) {
    const payment = known.find(({ checkoutSessionId }) => checkoutSessionId === session.id);
    if (payment === undefined) await reconcileStraySession(run, session);
    // One that differs, or has an intent by now, is read with those of ours that no list has shown.
    else if (payment.stripePaymentIntentId === null && agrees(payment, { of: 'session', seen: session }, run)) {
      run.draft.count('equal');
      seen.add(payment.orderId);
    }
  }
}

/** Compares one payment of ours with its object at Stripe; `listed` is what a list has said of its intent. */
export async function reconcilePayment(run: Run, payment: PaymentState, listed: PaymentIntentObservation | null): Promise<void> {
  // Only the session tells where a hosted payment stands until its money has moved.
  const isTold = payment.checkoutSessionId === null || isFinal(payment.status);
  if (listed !== null && isTold && agrees(payment, { of: 'intent', seen: listed }, run)) return run.draft.count('equal');
  const { orderId, stripePaymentIntentId, checkoutSessionId } = payment;
  const id = stripePaymentIntentId ?? checkoutSessionId ?? 'none';
  return compare(run, { orderId, object: 'payment', id }, (current) => readPayment(run, current));
}

async function readPayment({ payments: { gateway } }: Run, payment: PaymentState): Promise<MoneyFact> {
  const { checkoutSessionId, stripePaymentIntentId } = payment;
  if (checkoutSessionId !== null) return { of: 'session', seen: await gateway.retrieveCheckoutSession(checkoutSessionId) };
  if (stripePaymentIntentId === null) throw new Error(`bug: payment ${payment.paymentId} has nothing at Stripe to compare with`);
  return { of: 'intent', seen: await gateway.retrievePaymentIntent(stripePaymentIntentId) };
}

/** An intent that carries our metadata and that no payment of ours knows. */
async function reconcileStray(run: Run, intent: PaymentIntentObservation, seen: Set<string>): Promise<void> {
  const payment = await findOrderedBy(run.payments, intent.operationId);
  const sides = { object: 'payment', id: intent.id, payment, fact: { of: 'intent', seen: intent } } as const;
  if (payment === null) return note(run, 'missingHere', 'object_without_order', sides);
  if (payment.checkoutSessionId !== null || payment.stripePaymentIntentId === intent.id) {
    seen.add(payment.orderId);
    return reconcilePayment(run, payment, null);
  }
  const create = payment.operations.find(({ kind }) => kind === 'create');
  // As long as the create is open, its own resolution finds the intent.
  if (payment.stripePaymentIntentId === null && create !== undefined && isOpen(create.status)) return run.draft.count('unsettled');
  if (intent.status === 'canceled') return run.draft.count('equal');
  if (!isUnconfirmed(intent.status)) return note(run, 'discrepancies', 'intent_differs', sides);
  const isOrdered = !run.dryRun && (await orderOrphanCancellation(run.payments, payment.orderId, intent.id, run.cause));
  run.draft.count('orphans', differenceOf('orphan', sides, isOrdered ? 'orphan_canceled' : 'none'));
}

/** A session that no payment of ours knows. Of one that an earlier create left behind nobody has learned the address: it lapses. */
async function reconcileStraySession(run: Run, session: SessionObservation): Promise<void> {
  if (session.instance !== run.instance || (await findOrderedBy(run.payments, session.operationId)) !== null) return;
  const sides = { object: 'payment', id: session.id, payment: null, fact: { of: 'session', seen: session } } as const;
  await note(run, 'missingHere', 'object_without_order', sides);
}
