import { type Card, type PaymentState } from './card.js';

const TEST_CARDS = [
  ['Visa', '4242 4242 4242 4242'],
  ['Declined', '4000 0000 0000 0002'],
  ['3-D Secure', '4000 0000 0000 3220'],
] as const;
/** For those whose browser does not say when it is online again. */
const TRY_AGAIN_MS = 1_000;

interface Intent {
  readonly status: string;
  readonly last_payment_error: { readonly code?: string; readonly message?: string } | null;
  readonly next_action: { readonly redirect_to_url?: { readonly url: string } } | null;
}

/** Test cards, paid at the local simulator with Stripe's own browser calls. */
export function simulatorCard(simulatorUrl: string, publishableKey: string): Card {
  const form = { number: '', expiry: '', cvc: '' };
  const post = async (clientSecret: string, more: Record<string, string>): Promise<Response> => {
    const body = new URLSearchParams({ key: publishableKey, client_secret: clientSecret, ...more });
    return fetch(`${simulatorUrl}/v1/payment_intents/${intentId(clientSecret)}/confirm`, { method: 'POST', body });
  };
  const look = async (clientSecret: string): Promise<PaymentState> => {
    const query = new URLSearchParams({ key: publishableKey, client_secret: clientSecret });
    const url = `${simulatorUrl}/v1/payment_intents/${intentId(clientSecret)}?${query.toString()}`;
    const response = await untilReached(() => fetch(url));
    return stateOf((await response.json()) as Intent);
  };
  return {
    mount: (into) => {
      if (into.childElementCount === 0) showFields(into, form);
    },
    check: () =>
      Promise.resolve(/^\d{2} ?\/ ?\d{2}$/.test(form.expiry) && form.number !== '' ? null : 'Enter number and expiry (MM/YY) of the card.'),
    confirm: async (clientSecret, returnUrl) => {
      const [month = '', year = ''] = form.expiry.split('/');
      const card = {
        number: form.number.replaceAll(' ', ''),
        exp_month: String(Number(month)),
        exp_year: `20${year.trim()}`,
        cvc: form.cvc,
      };
      const fields = Object.entries(card).map(([name, value]) => [`payment_method_data[card][${name}]`, value] as const);
      const more = { 'payment_method_data[type]': 'card', return_url: returnUrl, ...Object.fromEntries(fields) };
      // When the way there breaks, it is the intent that tells whether the attempt was made.
      const sent = await post(clientSecret, more).catch(() => null);
      const state = sent === null ? await look(clientSecret) : stateOf(await intentIn(sent));
      if (state.redirectUrl !== null) await leaveFor(state.redirectUrl);
      return sent === null && state.status === 'requires_payment_method' && state.error === null
        ? { ...state, error: 'The connection broke before you paid. Pay again.' }
        : state;
    },
    look,
  };
}

/** A refusal carries the intent, if it is one of the card and not of the request. */
async function intentIn(response: Response): Promise<Intent> {
  const body = (await response.json()) as Intent & { error?: { message: string; payment_intent?: Intent } };
  if (body.error === undefined) return body;
  return { status: 'requires_payment_method', next_action: null, last_payment_error: body.error };
}

function stateOf({ status, last_payment_error: error, next_action: action }: Intent): PaymentState {
  // Stripe's own words for it are for developers; Stripe.js has others too.
  const hasFailedAtBank = error?.code === 'payment_intent_authentication_failure';
  const message = hasFailedAtBank ? 'Your bank did not confirm the payment. Pay again, or use another card.' : error?.message;
  return { status, error: message ?? null, redirectUrl: action?.redirect_to_url?.url ?? null };
}

function intentId(clientSecret: string): string {
  return clientSecret.split('_secret_')[0] ?? '';
}

/** Never resolves: the page ends. */
function leaveFor(url: string): Promise<never> {
  location.assign(url);
  return new Promise(() => undefined);
}

async function untilReached(send: () => Promise<Response>): Promise<Response> {
  for (;;) {
    try {
      return await send();
    } catch {
      await new Promise<void>((resolve) => {
        setTimeout(resolve, TRY_AGAIN_MS);
        addEventListener('online', () => resolve(), { once: true });
      });
    }
  }
}

function showFields(into: HTMLElement, form: { number: string; expiry: string; cvc: string }): void {
  const field = (name: keyof typeof form, label: string, value: string): HTMLElement => {
    const input = Object.assign(document.createElement('input'), { id: name, value, autocomplete: 'off', inputMode: 'numeric' });
    input.addEventListener('input', () => (form[name] = input.value));
    form[name] = value;
    const box = document.createElement('div');
    box.append(Object.assign(document.createElement('label'), { htmlFor: name, textContent: label }), input);
    return box;
  };
  const row = Object.assign(document.createElement('div'), { className: 'row' });
  row.append(field('expiry', 'Expiry (MM/YY)', '12/40'), field('cvc', 'Security code', '123'));
  const choice = document.createElement('fieldset');
  choice.append(Object.assign(document.createElement('legend'), { textContent: 'Test cards' }));
  const number = field('number', 'Card number', TEST_CARDS[0][1]);
  const buttons = TEST_CARDS.map(([name, value]) => {
    const button = Object.assign(document.createElement('button'), { type: 'button', className: 'plain', textContent: name });
    button.addEventListener('click', () => {
      form.number = value;
      for (const input of number.querySelectorAll('input')) input.value = value;
      showChosen();
    });
    return button;
  });
  const showChosen = (): void =>
    buttons.forEach((button, index) => button.setAttribute('aria-pressed', String(TEST_CARDS[index]?.[1] === form.number)));
  number.addEventListener('input', showChosen);
  showChosen();
  choice.append(...buttons);
  into.replaceChildren(number, row, choice);
}
