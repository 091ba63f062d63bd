import { type PaymentState } from '../../libs/payments/src/payment.js';

/** What is known of a payment whose intent was not made yet. */
const ORDERED = {
  orderId: 'o1',
  paymentId: 'p1',
  version: 1,
  orderStatus: 'pending',
  amount: 4_300,
  currency: 'usd',
  checkout: 'elements',
  amountCaptured: 0,
  amountRefunded: 0,
  amountRefundPending: 0,
  operations: [],
  refunds: [],
  dispute: null,
  stripeCustomerId: null,
  status: 'pending',
  stripePaymentIntentId: null,
  stripeClientSecret: null,
  stripeChargeId: null,
  paymentMethod: null,
  nextAction: null,
  lastError: null,
  cancellationReason: null,
  checkoutSessionId: null,
  url: null,
} as const;

/** A payment of 43.00 USD that nothing has happened to yet, but for what the test says. */
export function aPayment(more: Partial<PaymentState> = {}): PaymentState {
  return { ...ORDERED, ...more };
}
