import { type Checkout, hasOutcome, Oncepay, type OrderRequest, type Price, ProblemError } from '../../typescript/src/index.js';
import { type Card, type PaymentState } from './card.js';
import { money } from './receipt.js';
import { simulatorCard } from './simulator-card.js';
import { stripeCard } from './stripe-card.js';
import { element, showError, showGoods, showReceipt } from './view.js';

const oncepay = new Oncepay({ baseUrl: location.origin, apiKey: meta('oncepay-key') });
const stripeKey = meta('stripe-key');
const simulatorUrl = meta('stripe-simulator');
const card: Card = simulatorUrl === '' ? stripeCard(stripeKey) : simulatorCard(simulatorUrl, stripeKey);

const form = element('shop', HTMLFormElement);
const payButton = element('pay', HTMLButtonElement);
const email = element('email', HTMLInputElement);
const progress = element('progress', HTMLParagraphElement);
let prices: readonly Price[] = [];
let isBusy = false;

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void once(pay);
});
element('again', HTMLButtonElement).addEventListener('click', () => void startAgain());
for (const change of ['online', 'offline']) addEventListener(change, showConnection);
showConnection();
void once(open);

/** Shows the shop, and goes on with what was under way when the page was left. */
async function open(): Promise<void> {
  // What a bank's page hands back says nothing that Stripe does not know better.
  history.replaceState(null, '', location.pathname);
  const listed = await oncepay.prices();
  const currency = listed[0]?.currency;
  prices = listed.filter((price) => price.currency === currency);
  showGoods(prices, showTotal);
  showTotal();
  const checkout = await oncepay.resume();
  if (checkout === null) return;
  email.value = checkout.order.customer?.email ?? '';
  for (const { price, quantity } of checkout.order.items) {
    // What was ordered may be sold no longer.
    if (price === null || prices.every(({ id }) => id !== price)) continue;
    const input = quantityOf(price);
    input.value = String(quantity);
    input.dispatchEvent(new Event('input'));
  }
  await goOn(checkout);
}

/** One order, however often it is pressed: the same cart and email are the same checkout until the buyer has seen how it ended. */
async function pay(): Promise<void> {
  const isEmail = email.checkValidity();
  email.setAttribute('aria-invalid', String(!isEmail));
  if (!isEmail) email.focus();
  const wrong = isEmail ? await card.check() : 'Enter your email address.';
  if (wrong !== null) return showError(wrong);
  progress.textContent = 'Placing your order …';
  const checkout = await oncepay.checkout(request());
  const { payment, status } = await checkout.settled();
  if (status !== 'requires_payment' || payment.clientSecret === null) return goOn(checkout);
  progress.textContent = 'Paying …';
  await follow(checkout, await card.confirm(payment.clientSecret, `${location.origin}${location.pathname}`));
}

/** Takes up an order that was placed earlier. */
async function goOn(checkout: Checkout): Promise<void> {
  progress.textContent = 'One moment: your order is looked up …';
  const order = await checkout.settled();
  if (hasOutcome(order) || order.payment.clientSecret === null) return showReceipt(order);
  await follow(checkout, await card.look(order.payment.clientSecret));
}

/** Stripe knows first how an attempt went; the order follows. */
async function follow(checkout: Checkout, { status, error, redirectUrl }: PaymentState): Promise<void> {
  if (status === 'requires_action' && redirectUrl !== null) return location.assign(redirectUrl);
  if (status === 'requires_payment_method' || status === 'requires_confirmation') return showError(error);
  const isTaken = status === 'succeeded' || status === 'requires_capture';
  progress.textContent = isTaken ? 'Done. Waiting for the receipt …' : 'Waiting for the payment …';
  showReceipt(await checkout.outcome());
}

async function startAgain(): Promise<void> {
  const checkout = await oncepay.resume();
  await checkout?.forget();
  location.reload();
}

/** Runs one thing at a time and says what went wrong in words. */
async function once(work: () => Promise<void>): Promise<void> {
  if (isBusy) return;
  isBusy = true;
  showError(null);
  showTotal();
  try {
    await work();
  } catch (error) {
    showError(error instanceof ProblemError ? error.detail : 'That did not work. Nothing is charged twice: try again.');
    console.error(error);
  } finally {
    isBusy = false;
    progress.textContent = '';
    showTotal();
  }
}

function request(): OrderRequest {
  return {
    currency: prices[0]?.currency as OrderRequest['currency'],
    items: prices.map(({ id }) => ({ price: id, quantity: countOf(id) })).filter(({ quantity }) => quantity > 0),
    customer: { email: email.value },
    returnUrl: `${location.origin}${location.pathname}`,
  };
}

function showTotal(): void {
  const amount = prices.reduce((sum, { id, unitAmount }) => sum + unitAmount * countOf(id), 0);
  const currency = prices[0]?.currency ?? 'usd';
  payButton.textContent = amount === 0 ? 'Pay' : `Pay ${money(amount, currency)}`;
  payButton.disabled = isBusy || amount === 0;
  form.setAttribute('aria-busy', String(isBusy));
  if (!isBusy) card.mount(element('card', HTMLDivElement), { amount: Math.max(amount, 100), currency });
}

/** Whatever was typed into the field. */
function countOf(price: string): number {
  return Math.max(0, Math.min(99, Math.trunc(Number(quantityOf(price).value)))) || 0;
}

function quantityOf(price: string): HTMLInputElement {
  return element(`quantity-${price}`, HTMLInputElement);
}

function showConnection(): void {
  element('offline', HTMLParagraphElement).hidden = navigator.onLine;
}

function meta(name: string): string {
  return document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? '';
}
