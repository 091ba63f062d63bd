/**
 * Delayed methods: the payment is `processing` until the bank answers, days later (or when the control plane settles it).
 * Sources: https://docs.stripe.com/payments/sepa-debit/accept-a-payment#test-integration and
 * https://docs.stripe.com/payments/ach-direct-debit/accept-a-payment#test-integration
 */

export interface TestDebit {
  type: 'sepa_debit' | 'us_bank_account';
  last4: string;
  country: string;
  /** How the bank answers in the end; null: only the control plane settles it. */
  outcome: 'succeeded' | 'failed' | null;
  disputed: boolean;
}

/** The virtual time a bank takes to answer. Long enough that nothing settles by itself in a test that only watches. */
export const DEBIT_SETTLEMENT_SECONDS = 3 * 24 * 3600;

const SEPA_BY_IBAN: Readonly<Record<string, TestDebit>> = {
  DE89370400440532013000: debit('sepa_debit', '3000', 'succeeded'),
  DE08370400440532013003: debit('sepa_debit', '3003', 'succeeded'),
  DE62370400440532013001: debit('sepa_debit', '3001', 'failed'),
  DE78370400440532013004: debit('sepa_debit', '3004', 'failed'),
  DE35370400440532013002: { ...debit('sepa_debit', '3002', 'succeeded'), disputed: true },
};

const US_BY_ACCOUNT_NUMBER: Readonly<Record<string, TestDebit>> = {
  '000123456789': debit('us_bank_account', '6789', 'succeeded'),
  '000111111116': debit('us_bank_account', '1116', 'failed'),
  '000111111113': debit('us_bank_account', '1113', 'failed'),
  '000222222227': debit('us_bank_account', '2227', 'failed'),
  '000333333335': debit('us_bank_account', '3335', 'failed'),
  '000666666661': debit('us_bank_account', '6661', null),
};

const NAMED: Readonly<Record<string, TestDebit>> = {
  pm_usBankAccount_success: debit('us_bank_account', '6789', 'succeeded'),
  pm_usBankAccount_insufficientFunds: debit('us_bank_account', '2227', 'failed'),
  pm_usBankAccount_accountClosed: debit('us_bank_account', '1113', 'failed'),
  pm_usBankAccount_noAccount: debit('us_bank_account', '1116', 'failed'),
  pm_usBankAccount_processing: debit('us_bank_account', '6661', null),
  // The simulator's own: a delayed method without a bank account to type in.
  pm_simulator_processingSucceeded: debit('sepa_debit', '3000', 'succeeded'),
  pm_simulator_processingFailed: debit('sepa_debit', '3001', 'failed'),
  pm_simulator_processing: debit('sepa_debit', '3003', null),
};

export function namedTestDebit(id: string): TestDebit | undefined {
  return Object.hasOwn(NAMED, id) ? NAMED[id] : undefined;
}

export function testDebitByIban(iban: string): TestDebit | undefined {
  return SEPA_BY_IBAN[iban.replaceAll(' ', '').toUpperCase()];
}

export function testDebitByAccountNumber(accountNumber: string): TestDebit | undefined {
  return US_BY_ACCOUNT_NUMBER[accountNumber];
}

export function testDebitNames(): string[] {
  return Object.keys(NAMED);
}

function debit(type: TestDebit['type'], last4: string, outcome: TestDebit['outcome']): TestDebit {
  return { type, last4, country: type === 'sepa_debit' ? 'DE' : 'US', outcome, disputed: false };
}
