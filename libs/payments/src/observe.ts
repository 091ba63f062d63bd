import { effect, type Entropy } from '#libs/primitives';
import { judge, type PaymentIntentObservation } from './observation.js';
import { orderStatusOf } from './order-status.js';
import { type PaymentFacts, type PaymentState } from './payment.js';
import { type Payments } from './payments.js';
import { commitChange, loadPayment, type PaymentChange, recordDiscrepancy, type SettledOperation, type TimelineEntry } from './payments.store.js';

/** Something that was learned about a payment, and how. */
export interface Sighting {
  /** What Stripe said; null when all we learned is how an operation of ours ended. */
  readonly observation: PaymentIntentObservation | null;
  /** The version of the payment before Stripe was asked; null when nothing says how old the observation is. */
  readonly notedVersion: number | null;
  readonly cause: string;
  /** The operation whose answer this is. */
  readonly operation: SettledOperation | null;
}

/** What became of a sighting. `superseded`: the operation is another worker's now, which will learn the same. */
export type Observed = { readonly result: 'known' | 'applied' | 'discrepancy'; readonly payment: PaymentState } | { readonly result: 'superseded' };

/**
 * The one door for facts: the answer of a Stripe call, a webhook and a read all pass here, and nothing else moves a
 * payment and its order. Writes only from the version it decided on, and looks again when that has passed. Safe to
 * repeat: what is known already changes nothing.
 * Throws StripeFailure when it has to read and cannot.
 */
export async function observe(payments: Payments, orderId: string, sighting: Sighting): Promise<Observed> {
  let { observation, notedVersion } = sighting;
  let refusedAtVersion: number | null = null;
  for (;;) {
    const payment = await loadPayment(payments.database.autocommit, orderId);
    if (payment === null) throw new Error(`bug: there is no order ${orderId}`);
    // Nothing but a lost fence can refuse a change computed from the version that still is.
    if (payment.version === refusedAtVersion) return { result: 'superseded' };
    const verdict = observation === null ? { verdict: 'same' as const } : judge(payment, observation, payment.version === notedVersion);
    switch (verdict.verdict) {
      case 'read':
        notedVersion = payment.version;
        observation = await payments.gateway.retrievePaymentIntent(payment.stripePaymentIntentId ?? observation?.id ?? '');
        continue;
      case 'discrepancy':
        await reportDiscrepancy(payments, payment, observation, verdict.kind);
        if (sighting.operation === null) return { result: 'discrepancy', payment };
        break;
      case 'same':
      case 'stale':
        if (sighting.operation === null) return { result: 'known', payment };
        break;
      case 'apply':
        break;
    }
    const isApplied = verdict.verdict === 'apply';
    const operation = verdict.verdict === 'discrepancy' ? parked(sighting.operation) : sighting.operation;
    const after: PaymentState = {
      ...payment,
      ...(isApplied ? verdict.facts : {}),
      ...(operation?.status === 'rejected' && operation.error ? { lastError: operation.error } : {}),
      amountCaptured: isApplied ? verdict.amountCaptured : payment.amountCaptured,
      operations: payment.operations.map((known) => (known.id === operation?.id ? { ...known, status: operation.status } : known)),
    };
    const settled = { ...after, version: payment.version + 1, orderStatus: orderStatusOf(after) };
    const change = changeOf(payments, payment, settled, operation, sighting.cause);
    if (await effect('worker.observation.commit', () => commitChange(payments.database.autocommit, change))) {
      return { result: verdict.verdict === 'discrepancy' ? 'discrepancy' : isApplied ? 'applied' : 'known', payment: settled };
    }
    refusedAtVersion = payment.version;
  }
}

function changeOf(
  { clock, entropy }: Payments,
  before: PaymentState,
  after: PaymentState,
  operation: SettledOperation | null,
  cause: string,
): PaymentChange {
  return {
    orderId: before.orderId,
    version: before.version,
    orderStatus: after.orderStatus,
    amountCaptured: after.amountCaptured,
    payment: factsOf(after),
    operation,
    events: timelineOf(before, after, operation, cause, entropy),
    at: clock.now(),
  };
}

function factsOf(state: PaymentState): PaymentFacts {
  const { status, stripePaymentIntentId, stripeClientSecret, stripeChargeId, paymentMethod, nextAction, lastError, cancellationReason } = state;
  return { status, stripePaymentIntentId, stripeClientSecret, stripeChargeId, paymentMethod, nextAction, lastError, cancellationReason };
}

/** One line for the payment and one for the order, where they moved; and one for a refusal, which moves neither. */
function timelineOf(before: PaymentState, after: PaymentState, operation: SettledOperation | null, cause: string, entropy: Entropy): TimelineEntry[] {
  const entries: Omit<TimelineEntry, 'id' | 'cause'>[] = [];
  if (operation?.status === 'declined' || operation?.status === 'rejected' || operation?.status === 'parked') {
    entries.push({ type: `operation.${operation.status}`, data: { operation: kindOf(before, operation), error: operation.error } });
  }
  if (before.status !== after.status) {
    entries.push({ type: `payment.${after.status}`, data: { from: before.status, to: after.status, stripePaymentIntentId: after.stripePaymentIntentId } });
  }
  if (before.orderStatus !== after.orderStatus) {
    entries.push({ type: `order.${after.orderStatus}`, data: { from: before.orderStatus, to: after.orderStatus, amountCaptured: after.amountCaptured } });
  }
  return entries.map((entry) => ({ id: entropy.uuid(), cause, ...entry }));
}

function kindOf(payment: PaymentState, operation: SettledOperation): string | null {
  return payment.operations.find(({ id }) => id === operation.id)?.kind ?? null;
}

function parked(operation: SettledOperation | null): SettledOperation | null {
  return operation === null ? null : { ...operation, status: 'parked' };
}

async function reportDiscrepancy({ database, clock, entropy, logger }: Payments, payment: PaymentState, seen: PaymentIntentObservation | null, kind: string): Promise<void> {
  if (seen === null) return;
  logger.error({ orderId: payment.orderId, stripePaymentIntentId: seen.id, kind }, 'Stripe contradicts our record; a person must decide');
  await recordDiscrepancy(database.autocommit, {
    id: entropy.uuid(),
    kind,
    stripeObjectId: seen.id,
    orderId: payment.orderId,
    ours: { status: payment.status, amount: payment.amount, currency: payment.currency, amountCaptured: payment.amountCaptured, stripePaymentIntentId: payment.stripePaymentIntentId },
    stripes: { status: seen.status, amount: seen.amount, currency: seen.currency, amountReceived: seen.amountReceived, id: seen.id },
    at: clock.now(),
  });
}
