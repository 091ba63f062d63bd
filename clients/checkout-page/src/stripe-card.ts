import { type Card, type PaymentState } from './card.js';

/** What is used of Stripe.js. Source: https://docs.stripe.com/js */
interface StripeJs {
  elements(options: { mode: 'payment'; amount: number; currency: string }): Elements;
  confirmPayment(options: {
    elements: Elements;
    clientSecret: string;
    confirmParams: { return_url: string };
    redirect: 'if_required';
  }): Promise<StripeAnswer>;
  retrievePaymentIntent(clientSecret: string): Promise<StripeAnswer>;
  handleNextAction(options: { clientSecret: string }): Promise<StripeAnswer>;
}
interface Elements {
  create(type: 'payment'): { mount(into: HTMLElement): void };
  update(options: { amount: number }): void;
  submit(): Promise<{ error?: { message?: string } }>;
}
interface StripeAnswer {
  readonly error?: { readonly code?: string; readonly message?: string; readonly payment_intent?: Intent };
  readonly paymentIntent?: Intent;
}
interface Intent {
  readonly status: string;
  readonly last_payment_error?: { readonly message?: string } | null;
}

/** Stripe requires that Stripe.js comes from there, always its newest. */
const STRIPE_JS = 'https://js.stripe.com/v3/';

/** Stripe's own fields, in a frame of Stripe's: the shop never sees the card. */
export function stripeCard(publishableKey: string): Card {
  const stripe = loadStripe(publishableKey);
  // Said when the buyer needs it, by `check`.
  stripe.catch(() => undefined);
  let elements: Promise<Elements> | null = null;
  const mounted = (): Promise<Elements> => {
    if (elements === null) throw new Error('bug: the card is not mounted');
    return elements;
  };
  return {
    mount: (into, total) => {
      if (elements !== null) return void elements.then((present) => present.update({ amount: total.amount })).catch(() => undefined);
      elements = stripe.then((loaded) => {
        const made = loaded.elements({ mode: 'payment', ...total });
        made.create('payment').mount(into);
        return made;
      });
    },
    check: async () => {
      const present = await mounted().catch(() => null);
      if (present === null) return 'The fields for your card could not be loaded from Stripe. Reload the page.';
      const { error } = await present.submit();
      return error === undefined ? null : (error.message ?? 'Check the fields above.');
    },
    confirm: async (clientSecret, returnUrl) => {
      const confirmParams = { return_url: returnUrl };
      const loaded = await stripe;
      return stateOf(await loaded.confirmPayment({ elements: await mounted(), clientSecret, confirmParams, redirect: 'if_required' }));
    },
    look: async (clientSecret) => {
      const loaded = await stripe;
      const answer = await loaded.retrievePaymentIntent(clientSecret);
      // The page was left in the middle of an authentication: it begins anew, here or at the bank.
      return stateOf(answer.paymentIntent?.status === 'requires_action' ? await loaded.handleNextAction({ clientSecret }) : answer);
    },
  };
}

/** Redirects are Stripe.js's own affair. */
function stateOf({ error, paymentIntent }: StripeAnswer): PaymentState {
  // Somebody was faster, another tab say: the intent tells what has become of it.
  const intent = error?.code === 'payment_intent_unexpected_state' ? error.payment_intent : paymentIntent;
  if (intent === undefined) return { status: 'requires_payment_method', error: error?.message ?? 'The payment failed.', redirectUrl: null };
  return { status: intent.status, error: intent.last_payment_error?.message ?? null, redirectUrl: null };
}

function loadStripe(publishableKey: string): Promise<StripeJs> {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement('script'), { src: STRIPE_JS });
    script.addEventListener('load', () => {
      const make = Reflect.get(window, 'Stripe') as (key: string) => StripeJs;
      resolve(make(publishableKey));
    });
    script.addEventListener('error', () => reject(new Error('Stripe.js could not be loaded.')));
    document.head.append(script);
  });
}
