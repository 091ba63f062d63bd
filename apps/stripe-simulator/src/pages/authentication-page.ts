import type { Act } from '../core/act.js';
import type { Reply } from '../http/exchange.js';
import type { RawParams } from '../http/form.js';
import { intentSecret } from '../payment-intents/confirm.js';
import type { PaymentIntent } from '../payment-intents/payment-intent.js';
import { finishAuthentication } from '../payment-intents/transitions.js';
import { escaped, money, page, redirect } from './html.js';

/** Where `next_action.redirect_to_url.url` leads. */
export function authenticationPage(act: Act, id: string): Reply {
  const intent = found(act, id);
  if (intent.status !== 'requires_action') return returned(act, intent);
  return page(
    '3D Secure test page',
    `<p>Payment of <strong>${escaped(money(intent.amount, intent.currency))}</strong> (${escaped(intent.id)}).</p>
<form method="post">
<button name="outcome" value="complete">Complete</button>
<button name="outcome" value="fail" class="plain">Fail</button>
</form>`,
  );
}

export function finishOnPage(act: Act, id: string, form: RawParams): Reply {
  const intent = found(act, id);
  if (intent.status !== 'requires_action') return returned(act, intent);
  return returned(act, finishAuthentication(act, intent, form['outcome'] === 'fail' ? 'failed' : 'succeeded'));
}

/** Back to the shop, the way Stripe does it. */
function returned(act: Act, intent: PaymentIntent): Reply {
  const { returnUrl } = intentSecret(act, intent.id);
  const succeeded =
    intent.status === 'succeeded' ||
    intent.status === 'processing' ||
    intent.status === 'requires_capture' ||
    intent.status === 'requires_confirmation';
  if (returnUrl === null || !URL.canParse(returnUrl)) {
    return page(succeeded ? 'Authentication complete' : 'Authentication failed', '<p>You may close this page.</p>');
  }
  const url = new URL(returnUrl);
  url.searchParams.set('payment_intent', intent.id);
  url.searchParams.set('payment_intent_client_secret', intent.client_secret);
  url.searchParams.set('redirect_status', succeeded ? 'succeeded' : 'failed');
  return redirect(url.href);
}

function found(act: Act, id: string): PaymentIntent {
  const intent = act.account.find('payment_intents', id);
  if (intent === undefined) throw new Error(`payment intent ${id} vanished`);
  return intent;
}
