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
}
interface Elements {
  create(type: 'payment'): { mount(into: HTMLElement): void };
  update(options: { amount: number }): void;
  submit(): Promise<{ error?: { message?: string } }>;
}
interface StripeAnswer {
  readonly error?: { readonly message?: string };
  readonly paymentIntent?: {
    readonly status: string;
    readonly last_payment_error?: { readonly message?: string } | null;
    readonly next_action?: { readonly redirect_to_url?: { readonly url?: string | null } | null } | null;
  };
}

/** Stripe requires that Stripe.js comes from there, always its newest. */
const STRIPE_JS = 'https://js.stripe.com/v3/';

/** Stripe's own fields, in a frame of Stripe's: the shop never sees the card. */
export function stripeCard(publishableKey: string): Card {
  const stripe = loadStripe(publishableKey);
  let elements: Elements | null = null;
  const mounted = (): Elements => {
    if (elements === null) throw new Error('bug: the card is not mounted');
    return elements;
  };
  return {
    mount: (into, total) => {
      if (elements !== null) return elements.update({ amount: total.amount });
      void stripe.then((loaded) => {
        elements = loaded.elements({ mode: 'payment', ...total });
        elements.create('payment').mount(into);
      });
    },
    check: async () => {
      await stripe;
      const { error } = await mounted().submit();
      return error === undefined ? null : (error.message ?? 'Check the fields above.');
    },
    confirm: async (clientSecret, returnUrl) => {
      const confirmParams = { return_url: returnUrl };
      return stateOf(await (await stripe).confirmPayment({ elements: mounted(), clientSecret, confirmParams, redirect: 'if_required' }));
    },
    look: async (clientSecret) => stateOf(await (await stripe).retrievePaymentIntent(clientSecret)),
  };
}

function stateOf({ error, paymentIntent }: StripeAnswer): PaymentState {
  const redirectUrl = paymentIntent?.next_action?.redirect_to_url?.url ?? null;
  if (error !== undefined) return { status: 'requires_payment_method', error: error.message ?? 'The payment failed.', redirectUrl };
  return { status: paymentIntent?.status ?? '', error: paymentIntent?.last_payment_error?.message ?? null, redirectUrl };
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
