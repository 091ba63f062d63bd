import { newId } from '../core/ids.js';
import type { Charge } from '../charges/charge.js';

export interface Refund {
  id: string;
  object: 'refund';
  amount: number;
  balance_transaction: string | null;
  charge: string;
  created: number;
  currency: string;
  customer: string | null;
  customer_account: null;
  destination_details?: { type: 'card'; card: { reference_status: string; reference_type: string; type: 'refund' } };
  failure_balance_transaction?: string;
  failure_reason?: string;
  metadata: Record<string, string>;
  payment_intent: string;
  payment_method: string;
  pending_reason?: 'processing' | 'charge_pending' | 'insufficient_funds';
  reason: 'duplicate' | 'fraudulent' | 'requested_by_customer' | null;
  receipt_number: null;
  source_transfer_reversal: null;
  status: 'pending' | 'requires_action' | 'succeeded' | 'failed' | 'canceled';
  transfer_reversal: null;
}

export interface NewRefund {
  charge: Charge;
  amount: number;
  at: number;
  metadata: Record<string, string>;
  reason: Refund['reason'];
  status: 'pending' | 'succeeded';
}

export function newRefund(from: NewRefund): Refund {
  const { charge } = from;
  return {
    id: newId('re'),
    object: 'refund',
    amount: from.amount,
    balance_transaction: null,
    charge: charge.id,
    created: from.at,
    currency: charge.currency,
    customer: charge.customer,
    customer_account: null,
    ...(charge.payment_method_details.type === 'card' ? { destination_details: CARD_DESTINATION } : {}),
    metadata: from.metadata,
    payment_intent: charge.payment_intent,
    payment_method: charge.payment_method,
    ...(from.status === 'pending' ? { pending_reason: 'processing' as const } : {}),
    reason: from.reason,
    receipt_number: null,
    source_transfer_reversal: null,
    status: from.status,
    transfer_reversal: null,
  };
}

const CARD_DESTINATION: NonNullable<Refund['destination_details']> = {
  type: 'card',
  card: { reference_status: 'pending', reference_type: 'acquirer_reference_number', type: 'refund' },
};
