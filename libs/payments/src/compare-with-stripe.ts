import { effect, publicId } from '#libs/primitives';
import { type Fact, observe, weigh } from './observe.js';
import { type PaymentState } from './payment.js';
import { type Payments } from './payments.js';
import { loadPayment, recordDiscrepancy } from './payments.store.js';
import { type Difference, type Outcome, type Remedy, type ReportDraft } from './reconciliation-report.js';
import { StripeFailure } from './stripe/stripe-failure.js';

/** What one run of a reconciliation works with. */
export interface Run {
  readonly payments: Payments;
  readonly instance: string;
  /** A dry run writes its report and nothing else. */
  readonly dryRun: boolean;
  /** What stands as the cause of every repair on the timelines. */
  readonly cause: string;
  readonly draft: ReportDraft;
}

/** The object at Stripe that is compared. */
export interface Subject {
  readonly object: Difference['object'];
  readonly id: string;
}

/** What is known of it here and there; null where it is not. */
export interface Sides {
  readonly payment: PaymentState | null;
  readonly fact: MoneyFact | null;
}

/** A fact about money, as reconciliations compare it. */
export type MoneyFact = Extract<Fact, { readonly of: 'intent' | 'session' | 'refund' }>;

/** How often a payment that moves under our eyes is looked at anew. */
const TRIES = 3;

/** Whether what Stripe's list says of an object is what we know, so that it need not be read. */
export function agrees(payment: PaymentState, fact: MoneyFact, { payments }: Run): boolean {
  return verdictOn(payment, fact, payments) === 'same';
}

/**
 * Compares one object of a payment with ours: reads it, so that nothing older than our record is believed, and brings a difference
 * through the one door or writes it down. Throws StripeFailure.
 */
export async function compare(
  run: Run,
  { orderId, ...subject }: Subject & { readonly orderId: string },
  read: (payment: PaymentState) => Promise<MoneyFact>,
): Promise<void> {
  const { payments, draft } = run;
  for (let left = TRIES; left > 0; left -= 1) {
    const payment = await loadPayment(payments.database.autocommit, orderId);
    if (payment === null) return;
    const fact = await readIfThere(() => read(payment));
    if ((await loadPayment(payments.database.autocommit, orderId))?.version !== payment.version) continue;
    if (fact === null) return note(run, 'missingAtStripe', 'missing_at_stripe', { ...subject, payment, fact });
    const verdict = verdictOn(payment, fact, payments);
    if (verdict === 'same') return draft.count('equal');
    if (verdict === 'apply') return repair(run, { ...subject, payment, fact });
    return note(run, 'discrepancies', verdict, { ...subject, payment, fact });
  }
  draft.count('unsettled');
}

/** Counts a difference that only a person can settle and, unless the run is dry, writes it down with both values. */
export async function note({ payments, dryRun, draft }: Run, outcome: Outcome, kind: string, sides: Subject & Sides): Promise<void> {
  const { database, clock, entropy, logger } = payments;
  const { id, payment } = sides;
  const difference = differenceOf(kind, sides, dryRun ? 'none' : 'noted');
  if (!dryRun) {
    const { ours, stripes } = difference;
    const found = { id: entropy.uuid(), kind, stripeObjectId: id, orderId: payment?.orderId ?? null, ours, stripes, at: clock.now() };
    await effect('worker.discrepancy.commit', () => recordDiscrepancy(database.autocommit, found));
    logger.error({ stripeObjectId: id, kind, orderId: difference.order }, 'Stripe contradicts our record; a person must decide');
  }
  draft.count(outcome, difference);
}

async function repair(
  { payments, dryRun, cause, draft }: Run,
  sides: Subject & { readonly payment: PaymentState; readonly fact: MoneyFact },
): Promise<void> {
  const { payment, fact } = sides;
  if (dryRun) return draft.count('repaired', differenceOf('behind', sides, 'none'));
  const { result } = await observe(payments, payment.orderId, {
    payment: null,
    fact,
    notedVersion: payment.version,
    cause,
    operation: null,
  });
  if (result === 'applied') return draft.count('repaired', differenceOf('behind', sides, 'repaired'));
  if (result === 'discrepancy') return draft.count('discrepancies', differenceOf('behind', sides, 'noted'));
  draft.count('equal');
}

/** What a fresh fact means: nothing new, news, or by its kind a contradiction. */
function verdictOn(payment: PaymentState, fact: MoneyFact, { clock, entropy }: Payments): string {
  const weighed = weigh(payment, fact, { isFresh: true, now: clock.now(), newId: () => entropy.uuid() });
  switch (weighed.verdict) {
    case 'apply':
      return 'apply';
    case 'discrepancy':
      return weighed.kind;
    case 'same':
      return isCapturedAlike(payment, fact) ? 'same' : 'captured_differs';
    case 'stale':
    case 'read':
      return 'stripe_behind';
  }
}

/** The door lets captured amounts only grow: here it shows when ours is the larger. */
function isCapturedAlike({ amountCaptured }: PaymentState, fact: MoneyFact): boolean {
  if (fact.of === 'refund') return true;
  const intent = fact.of === 'intent' ? fact.seen : fact.seen.intent;
  return intent?.status !== 'succeeded' || intent.amountReceived === amountCaptured;
}

async function readIfThere<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof StripeFailure && error.httpStatus === 404) return null;
    throw error;
  }
}

/** A difference with what counts of both sides. */
export function differenceOf(kind: string, { object, id, payment, fact }: Subject & Sides, remedy: Remedy): Difference {
  const order = payment === null ? null : publicId('ord', payment.orderId);
  return { kind, object, stripeObjectId: id, order, ours: oursOf(object, id, payment), stripes: stripesOf(fact), remedy };
}

function oursOf(object: Subject['object'], id: string, payment: PaymentState | null): Difference['ours'] {
  if (payment === null) return null;
  if (object === 'refund') {
    const refund = payment.refunds.find(({ stripeRefundId }) => stripeRefundId === id);
    return refund === undefined ? null : { status: refund.status, amount: refund.amount, currency: payment.currency };
  }
  const { status, amount, currency, amountCaptured, stripePaymentIntentId, checkoutSessionId } = payment;
  return { status, amount, currency, amountCaptured, stripePaymentIntentId, checkoutSessionId };
}

function stripesOf(fact: MoneyFact | null): Difference['stripes'] {
  if (fact === null) return null;
  const { status, amount, currency } = fact.seen;
  switch (fact.of) {
    case 'intent':
      return { status, amount, currency, amountCaptured: fact.seen.amountReceived };
    case 'session':
      return { status, amount, currency, amountCaptured: fact.seen.intent?.amountReceived ?? 0, intent: fact.seen.intent?.status ?? null };
    case 'refund':
      return { status, amount, currency };
  }
}
