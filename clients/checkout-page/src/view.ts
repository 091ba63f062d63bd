import { type Order, type Price } from '../../typescript/src/index.js';
import { money, receiptOf } from './receipt.js';

/** The element of this id, of the kind it is in page.html. */
export function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`bug: page.html has no such #${id}`);
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
  const { isGood, title: words, text } = receiptOf(order);
  const receipt = element('receipt', HTMLElement);
  receipt.classList.toggle('bad', !isGood);
  element('receipt-mark', HTMLParagraphElement).textContent = isGood ? '✓' : '!';
  const title = element('receipt-title', HTMLHeadingElement);
  title.textContent = words;
  element('receipt-text', HTMLParagraphElement).textContent = text;
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
