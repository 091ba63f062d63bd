import type { CheckoutSession } from '../checkout/checkout-session.js';
import { paySession } from '../checkout/pay-session.js';
import type { Act } from '../core/act.js';
import type { Reply } from '../http/exchange.js';
import type { RawParams } from '../http/form.js';
import { StripeError } from '../http/stripe-error.js';
import { EMPTY_BILLING_DETAILS, type PaymentMethod } from '../payment-methods/payment-method.js';
import { createPaymentMethod, usePaymentMethod } from '../payment-methods/payment-methods.js';
import { escaped, money, page, redirect } from './html.js';

/** The page a Checkout Session's `url` leads to. */
export function checkoutPage(act: Act, id: string, error?: string): Reply {
  const session = found(act, id);
  if (session.status === 'complete') return redirect(successUrl(session));
  if (session.status === 'expired') return page('This session has expired', cancelLink(session), 410);
  const lines = act.account.find('checkout_session_secrets', id)?.lineItems ?? [];
  const listed = lines.map(
    (line) => `<li>${escaped(line.description)} × ${line.quantity}: ${escaped(money(line.amount_total, line.currency))}</li>`,
  );
  return page(
    `Pay ${money(session.amount_total, session.currency)}`,
    `${error === undefined ? '' : `<p class="error" role="alert">${escaped(error)}</p>`}
<ul>${listed.join('')}</ul>
<form method="post">
<label for="email">Email</label><input id="email" name="email" type="email" value="${escaped(session.customer_email ?? '')}">
<label for="number">Card number</label><input id="number" name="number" value="4242 4242 4242 4242" autocomplete="off">
<label for="expiry">Expiry (MM/YY)</label><input id="expiry" name="expiry" value="12/40" autocomplete="off">
<label for="cvc">Security code</label><input id="cvc" name="cvc" value="123" autocomplete="off">
<button name="method" value="card">Pay by card</button>
<button name="method" value="debit" class="plain">Pay by bank debit (settles later)</button>
</form>
${cancelLink(session)}`,
    error === undefined ? 200 : 402,
  );
}

export function payOnPage(act: Act, id: string, form: RawParams): Reply {
  const session = found(act, id);
  if (session.status !== 'open') return checkoutPage(act, id);
  try {
    const { intent, error } = paySession(act, session, methodOf(act, session, form));
    if (error !== undefined) return checkoutPage(act, id, error.message);
    if (intent.next_action?.type === 'redirect_to_url') return redirect(intent.next_action.redirect_to_url.url);
    return checkoutPage(act, id);
  } catch (error) {
    if (error instanceof StripeError) return checkoutPage(act, id, error.message);
    throw error;
  }
}

function methodOf(act: Act, session: CheckoutSession, form: RawParams): PaymentMethod {
  const text = (name: string): string | undefined => (typeof form[name] === 'string' && form[name] !== '' ? form[name] : undefined);
  const named = text('payment_method');
  const email = text('email') ?? session.customer_email;
  if (named !== undefined) return usePaymentMethod(act, named);
  if (form['method'] === 'debit') return usePaymentMethod(act, 'pm_simulator_processingSucceeded');
  const [month = '12', year = '40'] = (text('expiry') ?? '12/40').split('/');
  const made = createPaymentMethod(act, {
    allow_redisplay: undefined,
    billing_details: undefined,
    card: {
      cvc: text('cvc'),
      exp_month: Number(month),
      exp_year: Number(year),
      networks: undefined,
      number: text('number'),
      token: undefined,
    },
    metadata: undefined,
    radar_options: undefined,
    sepa_debit: undefined,
    type: 'card',
    us_bank_account: undefined,
  });
  return act.account.save('payment_methods', { ...made, billing_details: { ...EMPTY_BILLING_DETAILS, email } });
}

function successUrl(session: CheckoutSession): string {
  return session.success_url.replaceAll('{CHECKOUT_SESSION_ID}', session.id);
}

function cancelLink(session: CheckoutSession): string {
  return session.cancel_url === null ? '' : `<p><a href="${escaped(session.cancel_url)}">Back to the shop</a></p>`;
}

function found(act: Act, id: string): CheckoutSession {
  const session = act.account.find('checkout_sessions', id);
  if (session === undefined) throw new Error(`checkout session ${id} vanished`);
  return session;
}
