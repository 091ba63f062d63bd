import { newId } from '../core/ids.js';
import type { TestCard } from './test-cards.js';
import type { TestDebit } from './test-debits.js';

export interface Address {
  city: string | null;
  country: string | null;
  line1: string | null;
  line2: string | null;
  postal_code: string | null;
  state: string | null;
}

export interface BillingDetails {
  address: Address | null;
  email: string | null;
  name: string | null;
  phone: string | null;
  tax_id: string | null;
}

export interface CardDetails {
  brand: string;
  checks: { address_line1_check: null; address_postal_code_check: null; cvc_check: string };
  country: string;
  display_brand: string;
  exp_month: number;
  exp_year: number;
  fingerprint: string;
  funding: string;
  generated_from: null;
  last4: string;
  networks: { available: string[]; preferred: null };
  regulated_status: 'unregulated';
  three_d_secure_usage: { supported: boolean };
  wallet: null;
}

export interface SepaDebitDetails {
  bank_code: string;
  branch_code: string;
  country: string;
  fingerprint: string;
  generated_from: { charge: null; setup_attempt: null };
  last4: string;
}

export interface UsBankAccountDetails {
  account_holder_type: 'individual';
  account_type: 'checking';
  bank_name: string;
  financial_connections_account: null;
  fingerprint: string;
  last4: string;
  networks: { preferred: 'ach'; supported: ['ach'] };
  routing_number: string;
  status_details: Record<string, never>;
}

export interface PaymentMethod {
  id: string;
  object: 'payment_method';
  allow_redisplay: string;
  billing_details: BillingDetails;
  card?: CardDetails;
  created: number;
  customer: string | null;
  customer_account: null;
  livemode: false;
  metadata: Record<string, string>;
  sepa_debit?: SepaDebitDetails;
  type: 'card' | 'sepa_debit' | 'us_bank_account';
  us_bank_account?: UsBankAccountDetails;
}

/** What an issuer or bank does with a method: it is not shown in the object. */
export type Instrument = { kind: 'card'; card: TestCard } | { kind: 'debit'; debit: TestDebit };

/** The hidden half of a payment method. */
export interface PaymentMethodSecret {
  id: string;
  created: number;
  instrument: Instrument;
  /** Set once a payment succeeded with it that left it without a customer: such a method is spent. */
  consumed: boolean;
  /** Set once it was authenticated for later payments without its holder. */
  setUpForOffSession: boolean;
}

export const EMPTY_BILLING_DETAILS: BillingDetails = {
  address: { city: null, country: null, line1: null, line2: null, postal_code: null, state: null },
  email: null,
  name: null,
  phone: null,
  tax_id: null,
};

export interface NewPaymentMethod {
  instrument: Instrument;
  at: number;
  billingDetails?: BillingDetails;
  metadata?: Record<string, string>;
  expMonth?: number;
  expYear?: number;
}

export function newPaymentMethod(from: NewPaymentMethod): PaymentMethod {
  const common = {
    id: newId('pm'),
    object: 'payment_method',
    allow_redisplay: 'unspecified',
    billing_details: from.billingDetails ?? EMPTY_BILLING_DETAILS,
    created: from.at,
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: from.metadata ?? {},
  } as const;
  if (from.instrument.kind === 'card') {
    return { ...common, type: 'card', card: cardDetails(from.instrument.card, from.at, from.expMonth, from.expYear) };
  }
  const { debit } = from.instrument;
  if (debit.type === 'sepa_debit') return { ...common, type: 'sepa_debit', sepa_debit: sepaDetails(debit) };
  return { ...common, type: 'us_bank_account', us_bank_account: bankAccountDetails(debit) };
}

// One object per card and expiry, shared by every method made from it: details are never changed in place.
const sharedCardDetails = new Map<string, CardDetails>();

function cardDetails(card: TestCard, at: number, expMonth?: number, expYear?: number): CardDetails {
  const month = expMonth ?? 12;
  const year = expYear ?? new Date(at * 1000).getUTCFullYear() + 2;
  const key = `${card.number}/${month}/${year}`;
  const known = sharedCardDetails.get(key);
  if (known !== undefined) return known;
  const details: CardDetails = {
    brand: card.brand,
    checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: card.cvcCheck },
    country: card.country,
    display_brand: card.brand === 'amex' ? 'american_express' : card.brand,
    exp_month: month,
    exp_year: year,
    fingerprint: fingerprintOf(card.number),
    funding: card.funding,
    generated_from: null,
    last4: card.number.slice(-4),
    networks: { available: [card.brand], preferred: null },
    regulated_status: 'unregulated',
    three_d_secure_usage: { supported: card.brand !== 'amex' },
    wallet: null,
  };
  sharedCardDetails.set(key, details);
  return details;
}

function sepaDetails(debit: TestDebit): SepaDebitDetails {
  return {
    bank_code: '37040044',
    branch_code: '',
    country: debit.country,
    fingerprint: fingerprintOf(`sepa${debit.last4}`),
    generated_from: { charge: null, setup_attempt: null },
    last4: debit.last4,
  };
}

function bankAccountDetails(debit: TestDebit): UsBankAccountDetails {
  return {
    account_holder_type: 'individual',
    account_type: 'checking',
    bank_name: 'STRIPE TEST BANK',
    financial_connections_account: null,
    fingerprint: fingerprintOf(`us${debit.last4}`),
    last4: debit.last4,
    networks: { preferred: 'ach', supported: ['ach'] },
    routing_number: '110000000',
    status_details: {},
  };
}

/** The same number always has the same fingerprint, and the fingerprint does not show the number. */
function fingerprintOf(number: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const character of number) hash = ((hash ^ BigInt(character.codePointAt(0) ?? 0)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return hash.toString(36).padStart(16, '0').slice(-16);
}
