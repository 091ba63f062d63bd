import type { Act } from '../core/act.js';
import type { Charge } from '../charges/charge.js';
import { type BalanceTransaction, newBalanceTransaction, type NewBalanceTransaction, processingFee } from './balance-transaction.js';

/** Books what a captured charge brings, less the fee; the charge names the booking. */
export function recordChargeFee(act: Act, charge: Charge): Charge {
  const byCard = charge.payment_method_details.type === 'card';
  const booking = book(act, {
    type: byCard ? 'charge' : 'payment',
    reportingCategory: 'charge',
    amount: charge.amount_captured,
    fee: processingFee(charge.amount_captured),
    currency: charge.currency,
    source: charge.id,
    ...(charge.description === null ? {} : { description: charge.description }),
  });
  return act.account.save('charges', { ...charge, balance_transaction: booking.id });
}

export function book(act: Act, booking: Omit<NewBalanceTransaction, 'at'>): BalanceTransaction {
  return act.account.save('balance_transactions', newBalanceTransaction({ ...booking, at: act.at }));
}
