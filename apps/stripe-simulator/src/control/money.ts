import type { EffectEntry, JournalEntry } from '../core/journal.js';

/** What became of the money of one intent, or of all of them in one currency. All amounts in minor units. */
export interface MoneyMoved {
  authorized: number;
  captured: number;
  released: number;
  refunded: number;
  refundPending: number;
  disputed: number;
  /** How many times money was taken: more than one for an intent is a double charge. */
  chargeCount: number;
}

export interface MoneyTotals {
  byCurrency: Record<string, MoneyMoved>;
  byPaymentIntent: Record<string, MoneyMoved & { currency: string }>;
}

/** Sums up the effects of a journal. */
export function moneyMoved(entries: readonly JournalEntry[]): MoneyTotals {
  const totals: MoneyTotals = { byCurrency: {}, byPaymentIntent: {} };
  const pendingRefunds = new Set<string>();
  for (const entry of entries) {
    if (entry.kind !== 'effect') continue;
    const wasPending = entry.refund !== null && pendingRefunds.has(entry.refund);
    apply((totals.byCurrency[entry.currency] ??= nothing()), entry, wasPending);
    if (entry.paymentIntent !== null)
      apply((totals.byPaymentIntent[entry.paymentIntent] ??= { ...nothing(), currency: entry.currency }), entry, wasPending);
    if (entry.refund !== null && entry.type === 'refund_pending') pendingRefunds.add(entry.refund);
    else if (entry.refund !== null) pendingRefunds.delete(entry.refund);
  }
  return totals;
}

function apply(sum: MoneyMoved, { type, amount }: EffectEntry, wasPending: boolean): void {
  switch (type) {
    case 'authorized':
      sum.authorized += amount;
      sum.chargeCount++;
      return;
    case 'captured':
      sum.captured += amount;
      return;
    case 'released':
      sum.released += amount;
      return;
    case 'refund_pending':
      sum.refundPending += amount;
      return;
    case 'refunded':
      sum.refunded += amount;
      if (wasPending) sum.refundPending -= amount;
      return;
    case 'refund_failed':
    case 'refund_canceled':
      if (wasPending) sum.refundPending -= amount;
      else sum.refunded -= amount;
      return;
    case 'dispute_withdrawn':
      sum.disputed += amount;
      return;
    case 'dispute_reinstated':
      sum.disputed -= amount;
      return;
    case 'debit_pending':
      sum.chargeCount++;
      return;
    case 'debit_failed':
      sum.chargeCount--;
      return;
    case 'declined':
      return;
  }
}

function nothing(): MoneyMoved {
  return { authorized: 0, captured: 0, released: 0, refunded: 0, refundPending: 0, disputed: 0, chargeCount: 0 };
}
