import type { Act } from '../core/act.js';
import { newCustomer } from '../customers/customer.js';
import { emit } from '../events/emit.js';
import { invalidRequest } from '../http/stripe-error.js';
import type { AttemptResult } from '../payment-intents/attempt.js';
import { confirmPaymentIntent } from '../payment-intents/confirm.js';
import { keepPaymentIntent } from '../payment-intents/create.js';
import type { PaymentIntent } from '../payment-intents/payment-intent.js';
import type { PaymentMethod } from '../payment-methods/payment-method.js';
import type { CheckoutSession } from './checkout-session.js';

/** The buyer pays on the session's page. Its intent is made at the first try, and used again at the next. */
export function paySession(act: Act, session: CheckoutSession, method: PaymentMethod): AttemptResult {
  if (session.status !== 'open') throw invalidRequest(`This Checkout Session is ${session.status}.`);
  const intent = intentOf(act, session, method);
  return confirmPaymentIntent(act, intent, {
    method,
    offSession: false,
    errorOnRequiresAction: false,
    useStripeSdk: false,
    returnUrl: `${act.pagesUrl}/_sim/pages/checkout/${session.id}`,
    byBrowser: true,
  });
}

function intentOf(act: Act, session: CheckoutSession, method: PaymentMethod): PaymentIntent {
  const known = act.account.find('payment_intents', session.payment_intent ?? '');
  if (known !== undefined) return known;
  const secret = act.account.find('checkout_session_secrets', session.id);
  if (secret === undefined) throw new Error(`checkout session ${session.id} has no hidden half`);
  const customer = session.customer ?? customerFor(act, session, method, secret.intent.setupFutureUsage !== null);
  const intent = keepPaymentIntent(
    act,
    { ...secret.intent, at: act.at, amount: session.amount_total, currency: session.currency, customer, paymentMethod: null },
    session.id,
  );
  act.account.save('checkout_sessions', { ...session, payment_intent: intent.id, customer });
  return intent;
}

/** A session makes a customer when told to, or when the card is to be kept. */
function customerFor(act: Act, session: CheckoutSession, method: PaymentMethod, keepsCard: boolean): string | null {
  if (session.customer_creation !== 'always' && !keepsCard) return null;
  const customer = newCustomer(act.at, {
    address: method.billing_details.address,
    defaultPaymentMethod: null,
    description: null,
    email: method.billing_details.email ?? session.customer_email,
    metadata: {},
    name: method.billing_details.name,
    phone: method.billing_details.phone,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
  });
  act.account.save('customers', customer);
  emit(act, 'customer.created', customer);
  return customer.id;
}
