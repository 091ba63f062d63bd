import { newId, randomToken } from '../core/ids.js';
import type { PaymentIntent, Shipping } from '../payment-intents/payment-intent.js';
import type { BillingDetails, CardDetails, PaymentMethod } from '../payment-methods/payment-method.js';
import type { Decline } from '../payment-methods/test-cards.js';

export interface ChargeOutcome {
  advice_code: 'try_again_later' | 'do_not_try_again' | 'confirm_card_data' | null;
  network_advice_code: null;
  network_decline_code: string | null;
  network_status: string;
  reason: string | null;
  risk_level: string;
  risk_score: number;
  seller_message: string;
  type: string;
}

export interface ThreeDSecure {
  authentication_flow: 'challenge';
  electronic_commerce_indicator: '05';
  exemption_indicator: null;
  result: 'authenticated';
  result_reason: null;
  transaction_id: string;
  version: '2.2.0';
}

export interface CardPaymentDetails {
  amount_authorized: number | null;
  authorization_code: string | null;
  brand: string;
  capture_before?: number;
  checks: CardDetails['checks'];
  country: string;
  electronic_commerce_indicator: null;
  exp_month: number;
  exp_year: number;
  extended_authorization: { status: 'disabled' };
  fingerprint: string;
  funding: string;
  incremental_authorization: { status: 'unavailable' };
  installments: null;
  last4: string;
  mandate: null;
  multicapture: { status: 'unavailable' };
  network: string;
  network_token: { used: false };
  network_transaction_id: string | null;
  overcapture: { maximum_amount_capturable: number; status: 'unavailable' };
  regulated_status: 'unregulated';
  three_d_secure: ThreeDSecure | null;
  transaction_link_id: null;
  wallet: null;
}

export interface SepaPaymentDetails {
  bank_code: string;
  branch_code: string;
  country: string;
  fingerprint: string;
  last4: string;
  mandate: string;
}

export interface UsBankAccountPaymentDetails {
  account_holder_type: 'individual';
  account_type: 'checking';
  bank_name: string;
  fingerprint: string;
  last4: string;
  payment_reference: null;
  routing_number: string;
}

export interface PaymentMethodDetails {
  type: PaymentMethod['type'];
  card?: CardPaymentDetails;
  sepa_debit?: SepaPaymentDetails;
  us_bank_account?: UsBankAccountPaymentDetails;
}

export interface Charge {
  id: string;
  object: 'charge';
  amount: number;
  amount_captured: number;
  amount_refunded: number;
  application: null;
  application_fee: null;
  application_fee_amount: null;
  balance_transaction: string | null;
  billing_details: BillingDetails;
  calculated_statement_descriptor: string | null;
  captured: boolean;
  created: number;
  currency: string;
  customer: string | null;
  description: string | null;
  disputed: boolean;
  failure_balance_transaction: null;
  failure_code: string | null;
  failure_message: string | null;
  fraud_details: Record<string, never>;
  livemode: false;
  metadata: Record<string, string>;
  on_behalf_of: null;
  outcome: ChargeOutcome | null;
  paid: boolean;
  payment_intent: string;
  payment_method: string;
  payment_method_details: PaymentMethodDetails;
  radar_options: Record<string, never>;
  receipt_email: string | null;
  receipt_number: null;
  receipt_url: string | null;
  refunded: boolean;
  review: null;
  shipping: Shipping | null;
  source: null;
  source_transfer: null;
  statement_descriptor: string | null;
  statement_descriptor_suffix: string | null;
  status: 'succeeded' | 'pending' | 'failed';
  transfer_data: null;
  transfer_group: string | null;
}

/** A card authorization that is not captured lapses after this long. Source: https://docs.stripe.com/payments/place-a-hold-on-a-payment-method */
export const AUTHORIZATION_SECONDS = 7 * 24 * 3600;

export interface ChargeAttempt {
  intent: PaymentIntent;
  method: PaymentMethod;
  at: number;
  authenticated: boolean;
  result: { kind: 'approved'; captured: boolean } | { kind: 'pending' } | { kind: 'declined'; decline: Decline; blocked: boolean };
}

export function newCharge(attempt: ChargeAttempt): Charge {
  const { intent, method, result } = attempt;
  const id = newId('ch');
  const captured = result.kind === 'pending' || (result.kind === 'approved' && result.captured);
  return {
    id,
    object: 'charge',
    amount: intent.amount,
    amount_captured: captured ? intent.amount : 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: method.billing_details,
    calculated_statement_descriptor: method.type === 'card' ? 'STRIPE SIMULATOR' : null,
    captured,
    created: attempt.at,
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: result.kind === 'declined' ? result.decline.code : null,
    failure_message: result.kind === 'declined' ? result.decline.message : null,
    fraud_details: {},
    livemode: false,
    metadata: intent.metadata,
    on_behalf_of: null,
    outcome: outcomeOf(attempt),
    paid: result.kind === 'approved',
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: detailsOf(attempt),
    radar_options: {},
    receipt_email: intent.receipt_email,
    receipt_number: null,
    receipt_url: result.kind === 'declined' ? null : `https://pay.stripe.com/receipts/simulator/${id}`,
    refunded: false,
    review: null,
    shipping: intent.shipping,
    source: null,
    source_transfer: null,
    statement_descriptor: intent.statement_descriptor,
    statement_descriptor_suffix: intent.statement_descriptor_suffix,
    status: result.kind === 'approved' ? 'succeeded' : result.kind === 'pending' ? 'pending' : 'failed',
    transfer_data: null,
    transfer_group: intent.transfer_group,
  };
}

const APPROVED: ChargeOutcome = {
  advice_code: null,
  network_advice_code: null,
  network_decline_code: null,
  network_status: 'approved_by_network',
  reason: null,
  risk_level: 'normal',
  risk_score: 11,
  seller_message: 'Payment complete.',
  type: 'authorized',
};

function outcomeOf({ result }: ChargeAttempt): ChargeOutcome {
  if (result.kind !== 'declined') return APPROVED;
  const reason = result.decline.declineCode ?? result.decline.code;
  if (result.blocked) {
    return {
      ...APPROVED,
      network_status: 'not_sent_to_network',
      reason: 'highest_risk_level',
      risk_level: 'highest',
      risk_score: 92,
      seller_message: 'Stripe blocked this payment as too risky.',
      type: 'blocked',
    };
  }
  return {
    ...APPROVED,
    advice_code: reason === 'insufficient_funds' || reason === 'processing_error' ? 'try_again_later' : 'do_not_try_again',
    network_decline_code: '05',
    network_status: 'declined_by_network',
    reason,
    seller_message: `The bank returned the decline code \`${reason}\`.`,
    type: 'issuer_declined',
  };
}

function detailsOf({ intent, method, at, authenticated, result }: ChargeAttempt): PaymentMethodDetails {
  if (method.sepa_debit !== undefined) {
    const { bank_code, branch_code, country, fingerprint, last4 } = method.sepa_debit;
    return { type: method.type, sepa_debit: { bank_code, branch_code, country, fingerprint, last4, mandate: newId('mandate') } };
  }
  if (method.us_bank_account !== undefined) {
    const { account_holder_type, account_type, bank_name, fingerprint, last4, routing_number } = method.us_bank_account;
    return {
      type: method.type,
      us_bank_account: { account_holder_type, account_type, bank_name, fingerprint, last4, payment_reference: null, routing_number },
    };
  }
  if (method.card === undefined) throw new Error(`payment method ${method.id} of type ${method.type} has no details`);
  const { brand, checks, country, exp_month, exp_year, fingerprint, funding, last4 } = method.card;
  const approved = result.kind === 'approved';
  return {
    type: 'card',
    card: {
      amount_authorized: approved ? intent.amount : null,
      authorization_code: approved ? randomToken(6).toUpperCase() : null,
      brand,
      ...(approved && !result.captured ? { capture_before: at + AUTHORIZATION_SECONDS } : {}),
      checks,
      country,
      electronic_commerce_indicator: null,
      exp_month,
      exp_year,
      extended_authorization: { status: 'disabled' },
      fingerprint,
      funding,
      incremental_authorization: { status: 'unavailable' },
      installments: null,
      last4,
      mandate: null,
      multicapture: { status: 'unavailable' },
      network: brand,
      network_token: { used: false },
      network_transaction_id: approved ? randomToken(15) : null,
      overcapture: { maximum_amount_capturable: intent.amount, status: 'unavailable' },
      regulated_status: 'unregulated',
      three_d_secure: authenticated ? authenticatedChallenge() : null,
      transaction_link_id: null,
      wallet: null,
    },
  };
}

function authenticatedChallenge(): ThreeDSecure {
  return {
    authentication_flow: 'challenge',
    electronic_commerce_indicator: '05',
    exemption_indicator: null,
    result: 'authenticated',
    result_reason: null,
    transaction_id: randomToken(27),
    version: '2.2.0',
  };
}
