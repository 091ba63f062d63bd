import { type Order, type Price } from '../../typescript/src/index.js';

/** The element of this id, of the kind it is in page.html. */
export function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`bug: page.html has no such #${id}`);
}

/** Where Stripe's smallest unit is another than ISO 4217's. Source: https://docs.stripe.com/currencies#special-cases */
const STRIPE_DECIMALS: Readonly<Record<string, number>> = { isk: 2, ugx: 2, mga: 0 };

/** An amount as the reader's language writes it. amount: integer in Stripe's smallest unit of the currency. */
export function money(amount: number, currency: string): string {
  const format = new Intl.NumberFormat(undefined, { style: 'currency', currency });
  return format.format(amount / 10 ** (STRIPE_DECIMALS[currency] ?? format.resolvedOptions().maximumFractionDigits ?? 2));
}

/** Shows the catalogue; `onChange` is called when a quantity changes. */
export function showGoods(prices: readonly Price[], onChange: () => void): void {
  const goods = prices.map(({ id, name, unitAmount, currency }) => {
    const item = document.createElement('li');
    const what = textOf('div', '', 'what');
    what.append(textOf('b', name), textOf('span', money(unitAmount, currency)));
    const count = document.createElement('div');
    count.className = 'count';
    const input = Object.assign(document.createElement('input'), { id: `quantity-${id}`, type: 'number', min: '0', max: '99', value: '0' });
    input.setAttribute('aria-label', `Quantity of ${name}`);
    const changed = (): void => {
      item.classList.toggle('chosen', Number(input.value) > 0);
      onChange();
    };
    input.addEventListener('input', changed);
    const step = (sign: string, by: number): HTMLElement => {
      const button = textOf('button', sign, 'plain');
      button.setAttribute('type', 'button');
      button.setAttribute('aria-label', by > 0 ? `One more ${name}` : `One less ${name}`);
      button.addEventListener('click', () => {
        input.value = String(Math.max(0, Math.min(99, Number(input.value) + by)));
        changed();
      });
      return button;
    };
    count.append(step('−', -1), input, step('+', 1));
    const tile = textOf('span', name.slice(0, 1), 'tile');
    tile.setAttribute('aria-hidden', 'true');
    item.append(tile, what, count);
    return item;
  });
  element('goods', HTMLUListElement).replaceChildren(...goods);
}

/** Shows what became of an order, instead of the shop. */
export function showReceipt(order: Order): void {
  const isGood = order.status === 'paid' || order.status === 'authorized';
  const receipt = element('receipt', HTMLElement);
  receipt.classList.toggle('bad', !isGood);
  element('receipt-mark', HTMLParagraphElement).textContent = isGood ? '✓' : '!';
  const title = element('receipt-title', HTMLHeadingElement);
  title.textContent = isGood ? 'Thank you' : `This order is ${order.status}`;
  element('receipt-text', HTMLParagraphElement).textContent = isGood
    ? `You paid ${money(order.amount, order.currency)}, once.`
    : 'Nothing was charged. Start again whenever you like.';
  const lines = order.items.map(({ name, quantity, unitAmount }) => {
    const line = document.createElement('li');
    line.append(textOf('span', `${quantity} × ${name}`), textOf('span', money(quantity * unitAmount, order.currency)));
    return line;
  });
  const total = document.createElement('li');
  total.append(textOf('span', 'Total'), textOf('span', money(order.amount, order.currency)));
  element('receipt-items', HTMLUListElement).replaceChildren(...lines, total);
  element('receipt-order', HTMLElement).textContent = order.id;
  element('shop', HTMLFormElement).hidden = true;
  receipt.hidden = false;
  title.focus();
}

/** Shows what went wrong, where a screen reader says it at once; null takes it away. */
export function showError(message: string | null): void {
  const error = element('error', HTMLParagraphElement);
  error.hidden = message === null;
  error.textContent = message ?? '';
}

function textOf(tag: string, text: string, className = ''): HTMLElement {
  return Object.assign(document.createElement(tag), { textContent: text, className });
}
