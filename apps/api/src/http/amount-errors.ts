import { currencyRule, type FieldError, formatAmount } from '#libs/primitives';

/** What is wrong with a single amount: it is above what Stripe takes at once in its currency. amount: integer in Stripe's unit of it. */
export function amountErrors(amount: number, currency: string, field: string): readonly FieldError[] {
  const maximum = currencyRule(currency)?.maximum ?? 0;
  return amount <= maximum ? [] : [{ field, message: `must not be more than ${maximum}, which is ${formatAmount(maximum, currency)}` }];
}
