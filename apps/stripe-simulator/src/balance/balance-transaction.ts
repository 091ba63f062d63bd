import { newId } from '../core/ids.js';

export interface BalanceTransaction {
  id: string;
  object: 'balance_transaction';
  amount: number;
  available_on: number;
  balance_type: 'payments';
  created: number;
  currency: string;
  description: string | null;
  exchange_rate: null;
  fee: number;
  fee_details: { amount: number; application: null; currency: string; description: string; type: 'stripe_fee' }[];
  net: number;
  reporting_category: string;
  source: string;
  status: 'available' | 'pending';
  type: 'charge' | 'payment' | 'refund' | 'payment_refund' | 'refund_failure' | 'adjustment';
}

export interface NewBalanceTransaction {
  type: BalanceTransaction['type'];
  reportingCategory: string;
  /** Signed: what the balance gains. */
  amount: number;
  currency: string;
  source: string;
  at: number;
  fee?: number;
  description?: string;
}

/** Money becomes available two days after it was taken, as in a US account. */
const AVAILABLE_AFTER_SECONDS = 2 * 24 * 3600;

/** The processing fee of a domestic card payment: 2.9 % and 30 minor units. */
export function processingFee(amount: number): number {
  return Math.round(amount * 0.029) + 30;
}

export function newBalanceTransaction(from: NewBalanceTransaction): BalanceTransaction {
  const fee = from.fee ?? 0;
  return {
    id: newId('txn'),
    object: 'balance_transaction',
    amount: from.amount,
    available_on: from.at + AVAILABLE_AFTER_SECONDS,
    balance_type: 'payments',
    created: from.at,
    currency: from.currency,
    description: from.description ?? null,
    exchange_rate: null,
    fee,
    fee_details:
      fee === 0
        ? []
        : [{ amount: fee, application: null, currency: from.currency, description: 'Stripe processing fees', type: 'stripe_fee' }],
    net: from.amount - fee,
    reporting_category: from.reportingCategory,
    source: from.source,
    status: 'pending',
    type: from.type,
  };
}
