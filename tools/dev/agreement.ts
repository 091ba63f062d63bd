/** What we say of an order. */
export interface OurSide {
  readonly id: string;
  readonly status: string;
  readonly amount: number;
  readonly amountCaptured: number;
  readonly currency: string;
  readonly payment: { readonly stripePaymentIntentId: string | null };
}

/** What Stripe says; only what is compared. */
export interface StripeIntent {
  readonly id: string;
  readonly status: string;
  readonly amount: number;
  readonly currency: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface StripeCharge {
  readonly id: string;
  readonly status: string;
  readonly amount: number;
  readonly amount_captured: number;
  readonly currency: string;
  readonly payment_intent: string | null;
}

/** Stripe's objects of one order, found by what Stripe keeps itself and not by what we remember. */
export interface StripeSide {
  readonly intents: readonly StripeIntent[];
  readonly charges: readonly StripeCharge[];
}

/** Picks what belongs to an order out of everything Stripe lists. */
export function stripeSideOf(orderId: string, intents: readonly StripeIntent[], charges: readonly StripeCharge[]): StripeSide {
  const own = intents.filter((intent) => intent.metadata['oncepay_order'] === orderId);
  const ids = new Set(own.map(({ id }) => id));
  return { intents: own, charges: charges.filter((charge) => charge.payment_intent !== null && ids.has(charge.payment_intent)) };
}

/** Every way in which a paid order and Stripe's record of it differ; none means one successful charge of the right amount. */
export function disagreements(order: OurSide, { intents, charges }: StripeSide): string[] {
  const found: string[] = [];
  const expect = (what: string, ours: unknown, theirs: unknown): void => {
    if (ours !== theirs) found.push(`${what}: expected ${String(ours)}, found ${String(theirs)}`);
  };
  expect('our order', 'paid', order.status);
  expect('captured according to us', order.amount, order.amountCaptured);
  expect('PaymentIntents at Stripe', 1, intents.length);
  for (const intent of intents) {
    expect('id of the PaymentIntent', order.payment.stripePaymentIntentId, intent.id);
    expect(`status of ${intent.id}`, 'succeeded', intent.status);
  }
  const succeeded = charges.filter(({ status }) => status === 'succeeded');
  expect('successful charges at Stripe', 1, succeeded.length);
  for (const charge of succeeded) {
    expect(`amount of ${charge.id}`, order.amount, charge.amount);
    expect(`captured by ${charge.id}`, order.amount, charge.amount_captured);
    expect(`currency of ${charge.id}`, order.currency, charge.currency);
  }
  return found;
}
