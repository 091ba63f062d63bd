import { currencyRule, DomainError, type FieldError, formatAmount } from '#libs/primitives';
import { type OrderItem, type Orderer, type RequestedItem } from './order.js';
import { type Price } from './prices.store.js';

/**
 * The lines of an order with their amounts, from the catalogue where they name a price, and the total. A browser's key
 * names no amount. amount: integer in Stripe's unit of the currency.
 * Throws DomainError validation_failed, amount_too_small or amount_too_large.
 */
export function priceItems(
  requested: readonly RequestedItem[],
  currency: string,
  audience: Orderer['audience'],
  catalogue: ReadonlyMap<string, Price>,
): { items: readonly OrderItem[]; amount: number } {
  const errors: FieldError[] = [];
  const items = requested.flatMap((line, index): OrderItem[] => {
    const refuse = (member: string, message: string): [] => {
      errors.push({ field: `items.${index}.${member}`, message });
      return [];
    };
    if (!('price' in line)) {
      if (audience === 'publishable') return refuse('unitAmount', 'must not be named with a publishable key: order by price');
      return [{ price: null, ...line }];
    }
    const price = catalogue.get(line.price);
    if (price === undefined || !price.active) return refuse('price', `is no active price: ${line.price}`);
    if (price.currency !== currency) return refuse('price', `is in ${price.currency}, the order in ${currency}`);
    return [{ price: price.id, name: price.name, unitAmount: price.unitAmount, quantity: line.quantity }];
  });
  if (errors.length > 0) throw new DomainError('validation_failed', 'Some items cannot be ordered.', { errors });
  const amount = items.reduce((sum, { unitAmount, quantity }) => sum + unitAmount * quantity, 0);
  checkTotal(amount, currency);
  return { items, amount };
}

function checkTotal(amount: number, currency: string): void {
  const rule = currencyRule(currency);
  if (rule === null)
    throw new DomainError('validation_failed', `Stripe does not charge in ${currency}.`, {
      errors: [{ field: 'currency', message: 'is no currency Stripe charges in' }],
    });
  if (amount < rule.minimum)
    throw new DomainError(
      'amount_too_small',
      `The total is ${formatAmount(amount, currency)}; Stripe charges at least ${formatAmount(rule.minimum, currency)}.`,
    );
  if (amount > rule.maximum)
    throw new DomainError(
      'amount_too_large',
      `The total is more than ${formatAmount(rule.maximum, currency)}, the most Stripe charges at once.`,
    );
  if (amount % rule.step !== 0) {
    throw new DomainError('validation_failed', `Amounts in ${currency} must be multiples of ${rule.step}.`, {
      errors: [{ field: 'items', message: `sum to ${amount}, which is no multiple of ${rule.step}` }],
    });
  }
}
