import type { Act } from '../core/act.js';
import type { Reply } from '../http/exchange.js';
import type { RawParams } from '../http/form.js';
import { intentSecret } from '../payment-intents/confirm.js';
import { finishAuthentication } from '../payment-intents/transitions.js';
import { finishSetupAuthentication } from '../setup-intents/setup.js';
import { escaped, money, page, redirect } from './html.js';

/** An intent of either kind, as its page sees it. */
interface Subject {
  id: string;
  kind: 'payment_intent' | 'setup_intent';
  clientSecret: string;
  waiting: boolean;
  failed: boolean;
  returnUrl: string | null;
  about: string;
}

/** Where `next_action.redirect_to_url.url` leads. */
export function authenticationPage(act: Act, id: string): Reply {
  const subject = subjectOf(act, id);
  if (!subject.waiting) return returned(subject);
  return page(
    '3D Secure test page',
    `<p>${escaped(subject.about)} (${escaped(id)})</p>
<form method="post">
<button name="outcome" value="complete">Complete</button>
<button name="outcome" value="fail" class="plain">Fail</button>
</form>`,
  );
}

export function finishOnPage(act: Act, id: string, form: RawParams): Reply {
  if (subjectOf(act, id).waiting) {
    const outcome = form['outcome'] === 'fail' ? 'failed' : 'succeeded';
    const payment = act.account.find('payment_intents', id);
    const setup = act.account.find('setup_intents', id);
    if (payment !== undefined) finishAuthentication(act, payment, outcome);
    if (setup !== undefined) finishSetupAuthentication(act, setup, outcome);
  }
  return returned(subjectOf(act, id));
}

/** Back to the shop, the way Stripe does it. */
function returned({ id, kind, clientSecret, failed, returnUrl }: Subject): Reply {
  if (returnUrl === null || !URL.canParse(returnUrl)) {
    return page(failed ? 'Authentication failed' : 'Authentication complete', '<p>You may close this page.</p>');
  }
  const url = new URL(returnUrl);
  url.searchParams.set(kind, id);
  url.searchParams.set(`${kind}_client_secret`, clientSecret);
  url.searchParams.set('redirect_status', failed ? 'failed' : 'succeeded');
  return redirect(url.href);
}

function subjectOf(act: Act, id: string): Subject {
  const intent = act.account.find('payment_intents', id) ?? act.account.find('setup_intents', id);
  if (intent === undefined) throw new Error(`intent ${id} vanished`);
  return {
    id,
    kind: intent.object,
    clientSecret: intent.client_secret,
    waiting: intent.status === 'requires_action',
    failed: intent.status === 'requires_payment_method' || intent.status === 'canceled',
    returnUrl:
      intent.object === 'payment_intent'
        ? intentSecret(act, id).returnUrl
        : (act.account.find('setup_intent_secrets', id)?.returnUrl ?? null),
    about:
      intent.object === 'payment_intent'
        ? `Payment of ${money(intent.amount, intent.currency)}`
        : 'Your card is to be kept for later payments',
  };
}
