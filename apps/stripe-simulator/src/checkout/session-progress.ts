import type { Act } from '../core/act.js';
import { emit } from '../events/emit.js';
import type { PaymentIntent } from '../payment-intents/payment-intent.js';
import type { CheckoutSession } from './checkout-session.js';

/** A session goes along with the intent it made: complete once the buyer has done their part, paid once the money is there. */
export function followPayment(act: Act, intent: PaymentIntent): void {
  const sessionId = act.account.find('payment_intent_secrets', intent.id)?.checkoutSession ?? null;
  const session = sessionId === null ? undefined : act.account.find('checkout_sessions', sessionId);
  if (session === undefined || session.status === 'expired') return;
  switch (intent.status) {
    case 'succeeded':
    case 'requires_capture':
    case 'processing':
      if (session.status === 'open') complete(act, session, intent);
      else if (intent.status === 'succeeded') paidLater(act, session, intent);
      return;
    case 'requires_payment_method':
      if (session.status === 'complete') emit(act, 'checkout.session.async_payment_failed', session);
      return;
    case 'requires_action':
    case 'requires_confirmation':
    case 'canceled':
      return;
  }
}

function complete(act: Act, session: CheckoutSession, intent: PaymentIntent): void {
  const method = act.account.find('payment_methods', intent.payment_method ?? '');
  const billing = method?.billing_details;
  const completed = act.account.save('checkout_sessions', {
    ...session,
    status: 'complete',
    payment_status: intent.status === 'succeeded' ? 'paid' : 'unpaid',
    payment_intent: intent.id,
    url: null,
    customer_details: {
      address: billing?.address ?? null,
      business_name: null,
      email: billing?.email ?? session.customer_email,
      individual_name: null,
      name: billing?.name ?? null,
      phone: billing?.phone ?? null,
      tax_exempt: 'none',
      tax_ids: [],
    },
  });
  emit(act, 'checkout.session.completed', completed);
}

function paidLater(act: Act, session: CheckoutSession, intent: PaymentIntent): void {
  const paid = act.account.save('checkout_sessions', { ...session, payment_status: 'paid' });
  const charge = act.account.find('charges', intent.latest_charge ?? '');
  // The capture of an authorized card is the merchant's own doing, so Stripe announces only what a bank did.
  if (charge?.payment_method_details.type !== 'card') emit(act, 'checkout.session.async_payment_succeeded', paid);
}
