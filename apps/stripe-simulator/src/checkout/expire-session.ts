import type { Act } from '../core/act.js';
import { emit } from '../events/emit.js';
import { invalidRequest } from '../http/stripe-error.js';
import { cancel } from '../payment-intents/transitions.js';
import type { CheckoutSession } from './checkout-session.js';

/** Closes a session nobody has paid; the intent of a failed try goes with it. */
export function expireSession(act: Act, session: CheckoutSession): CheckoutSession {
  if (session.status !== 'open') {
    throw invalidRequest(
      `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${session.status}.`,
    );
  }
  const expired = act.account.save('checkout_sessions', { ...session, status: 'expired', url: null });
  const intent = act.account.find('payment_intents', session.payment_intent ?? '');
  if (intent !== undefined && intent.status !== 'succeeded' && intent.status !== 'canceled') cancel(act, intent, 'automatic');
  emit(act, 'checkout.session.expired', expired);
  return expired;
}
