import { type Examples } from './example.js';
import { KEY_EXAMPLES } from './key-examples.js';
import { OPS_EXAMPLES } from './ops-examples.js';
import { SERVICE_EXAMPLES } from './service-examples.js';

const ORDER_ID = 'ord_01kax3k6wbf3e9tmgb0jv3c2q4';
const REFUND_ID = 'ref_01kax3k6wbf3e9tmgb0jv3c2q7';
const KEY = { 'Idempotency-Key': '5f0c8a4e-0a57-4f0e-9a43-1d2b7c6e8f90' };
const OF_ORDER = { id: ORDER_ID };

const CART = {
  currency: 'usd',
  items: [
    { price: 'tshirt', quantity: 2 },
    { name: 'Gift wrap', unitAmount: 300, quantity: 1 },
  ],
  customer: { email: 'ada@example.com', name: 'Ada' },
  reference: 'cart-4711',
};

const PAYMENT = {
  id: 'pay_01kax3k6wbf3e9tmgb0jv3c2q5',
  status: 'pending',
  stripePaymentIntentId: null,
  stripePublishableKey: null,
  clientSecret: null,
  url: null,
  paymentMethod: 'pm_card_visa',
  pendingOperation: 'confirm',
  nextAction: null,
  lastError: null,
};

const ORDER = {
  id: ORDER_ID,
  object: 'order',
  status: 'pending',
  amount: 4300,
  currency: 'usd',
  amountCaptured: 0,
  amountRefunded: 0,
  amountRefundPending: 0,
  items: [
    { price: 'tshirt', name: 'T-shirt', unitAmount: 2000, quantity: 2 },
    { price: null, name: 'Gift wrap', unitAmount: 300, quantity: 1 },
  ],
  customer: { email: 'ada@example.com', name: 'Ada', stripeCustomerId: null },
  reference: 'cart-4711',
  metadata: {},
  clientSecret: `${ORDER_ID}_secret_s0meth1ngN0b0dyCanGuess`,
  captureMethod: 'automatic',
  checkout: 'elements',
  payment: PAYMENT,
  dispute: null,
  createdAt: '2026-11-25T10:00:00.000Z',
  updatedAt: '2026-11-25T10:00:00.000Z',
  expiresAt: '2026-11-26T10:00:00.000Z',
};

const INTENT = {
  ...PAYMENT,
  status: 'requires_payment_method',
  stripePaymentIntentId: 'pi_3SXabcdefghijklm',
  clientSecret: 'pi_3SXabcdefghijklm_secret_nopqrstuvwxyz',
  pendingOperation: null,
};

const PAID = { ...ORDER, status: 'paid', amountCaptured: 4300, payment: { ...INTENT, status: 'succeeded' } };
const AUTHORIZED = { ...INTENT, status: 'requires_capture' };
const DECLINED = { code: 'card_declined', declineCode: 'generic_decline', message: 'Your card was declined.' };

const REFUND = {
  id: REFUND_ID,
  object: 'refund',
  order: ORDER_ID,
  amount: 1000,
  currency: 'usd',
  status: 'pending',
  reason: 'requested_by_customer',
  failureReason: null,
  stripeRefundId: null,
  createdAt: '2026-11-25T11:00:00.000Z',
};
const REFUNDED = { ...REFUND, status: 'succeeded', stripeRefundId: 're_3SXabcdefghijklm' };

const PRICE = { id: 'tshirt', name: 'T-shirt', currency: 'usd', unitAmount: 2000, active: true };

const CREATED = {
  id: 'oev_01kax3k6wbf3e9tmgb0jv3c2q8',
  type: 'order.created',
  at: '2026-11-25T10:00:00.000Z',
  cause: 'command:create',
  data: { to: 'pending', amount: 4300, currency: 'usd' },
};

/** The only page there is. */
function pageOf(...data: readonly object[]): object {
  return { object: 'list', data, hasMore: false, nextCursor: null };
}

/** What the API reference shows of every operation. */
export const EXAMPLES: Examples = {
  createOrder: {
    elements: {
      summary: 'Paid by the worker with a payment method',
      body: { ...CART, paymentMethod: 'pm_card_visa' },
      parameters: KEY,
      answer: ORDER,
    },
    hosted: {
      summary: "Paid by the buyer on Stripe's page",
      body: { ...CART, checkout: 'hosted', returnUrl: 'https://shop.example/return' },
      parameters: KEY,
      answer: { ...ORDER, checkout: 'hosted', payment: { ...PAYMENT, paymentMethod: null, pendingOperation: 'create' } },
    },
  },
  listOrders: {
    paid: {
      summary: 'The paid orders of a cart',
      parameters: { status: 'paid', reference: 'cart-4711', limit: '10' },
      answer: pageOf({ ...PAID, clientSecret: null, payment: { ...PAID.payment, clientSecret: null } }),
    },
  },
  getOrder: { paid: { parameters: OF_ORDER, answer: PAID } },
  listOrderEvents: {
    paid: { parameters: OF_ORDER, answer: pageOf(CREATED) },
    stream: {
      summary: 'Followed, with `Accept: text/event-stream`',
      type: 'text/event-stream',
      parameters: OF_ORDER,
      answer: `retry: 1000\n\nid: ${CREATED.id}\nevent: ${CREATED.type}\ndata: ${JSON.stringify(CREATED)}\n\n`,
    },
  },
  payOrder: {
    otherCard: {
      summary: 'Another card after a decline',
      parameters: { ...OF_ORDER, ...KEY },
      body: { paymentMethod: 'pm_card_mastercard' },
      answer: {
        ...ORDER,
        status: 'processing',
        payment: { ...INTENT, paymentMethod: 'pm_card_chargeDeclined', pendingOperation: 'confirm', lastError: DECLINED },
      },
    },
  },
  captureOrder: {
    part: {
      summary: 'A part; what is left is released',
      parameters: { ...OF_ORDER, ...KEY },
      body: { amount: 2000 },
      answer: { ...ORDER, status: 'authorized', captureMethod: 'manual', payment: { ...AUTHORIZED, pendingOperation: 'capture' } },
    },
  },
  cancelOrder: {
    unpaid: {
      summary: 'Canceled once Stripe has canceled the intent',
      parameters: { ...OF_ORDER, ...KEY },
      answer: { ...ORDER, status: 'requires_payment', payment: { ...INTENT, paymentMethod: null, pendingOperation: 'cancel' } },
    },
  },
  createRefund: {
    part: {
      parameters: { ...OF_ORDER, ...KEY },
      body: { amount: 1000, reason: 'requested_by_customer' },
      answer: REFUND,
    },
  },
  listRefunds: { one: { parameters: OF_ORDER, answer: pageOf(REFUNDED) } },
  getRefund: { succeeded: { parameters: { id: REFUND_ID }, answer: REFUNDED } },
  putPrice: {
    tshirt: {
      parameters: { id: PRICE.id },
      body: { name: PRICE.name, currency: PRICE.currency, unitAmount: PRICE.unitAmount },
      answer: PRICE,
    },
  },
  listPrices: { one: { answer: pageOf(PRICE) } },
  ...KEY_EXAMPLES,
  ...OPS_EXAMPLES,
  ...SERVICE_EXAMPLES,
};
