import { type Order } from '../../typescript/src/index.js';

/** What a buyer is told of an order that needs nothing more of them. */
export interface Receipt {
  /** Whether they have what they came for. */
  readonly isGood: boolean;
  readonly title: string;
  readonly text: string;
}

/** What of an order its receipt tells. */
type Told = Pick<Order, 'status' | 'amount' | 'amountCaptured' | 'amountRefunded' | 'currency'>;

/** What became of an order, in words that are true of its money. */
export function receiptOf({ status, amount, amountCaptured, amountRefunded, currency }: Told): Receipt {
  const words = (one: number): string => money(one, currency);
  const bad = (title: string, text: string): Receipt => ({ isGood: false, title, text });
  switch (status) {
    case 'paid':
      return { isGood: true, title: 'Thank you', text: `You paid ${words(amountCaptured)}, once.` };
    case 'authorized':
      return { isGood: true, title: 'Thank you', text: `${words(amount)} are reserved on your card, and not charged yet.` };
    case 'partially_refunded':
      return bad(
        'This order is partly refunded',
        `You paid ${words(amountCaptured)}, and ${words(amountRefunded)} of it were returned to you.`,
      );
    case 'refunded':
      return bad('This order is refunded', `You paid ${words(amountCaptured)}, and all of it was returned to you.`);
    case 'canceled':
    case 'expired':
    case 'failed':
      return bad(`This order is ${status}`, 'Nothing was charged. Start again whenever you like.');
    case 'pending':
    case 'processing':
      return bad('This order is being paid', 'Whether the payment succeeds is not known yet. Look again later, and do not pay twice.');
    case 'requires_payment':
    case 'requires_action':
      return bad('This order is not paid', 'Nothing was charged yet.');
  }
}

/** Where Stripe's smallest unit is another than ISO 4217's. Source: https://docs.stripe.com/currencies#special-cases */
const STRIPE_DECIMALS: Readonly<Record<string, number>> = { isk: 2, ugx: 2, mga: 0 };

/** An amount as the reader's language writes it. amount: integer in Stripe's smallest unit of the currency. */
export function money(amount: number, currency: string): string {
  const format = new Intl.NumberFormat(undefined, { style: 'currency', currency });
  return format.format(amount / 10 ** (STRIPE_DECIMALS[currency] ?? format.resolvedOptions().maximumFractionDigits ?? 2));
}
