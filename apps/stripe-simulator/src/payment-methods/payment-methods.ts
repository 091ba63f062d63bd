import type { Act } from '../core/act.js';
import { toAddress } from '../customers/address-params.js';
import { emit } from '../events/emit.js';
import { changedMetadata, type Parsed } from '../http/params.js';
import { invalidParameter, invalidRequest, missingResource, StripeError } from '../http/stripe-error.js';
import {
  type BillingDetails,
  EMPTY_BILLING_DETAILS,
  type Instrument,
  newPaymentMethod,
  type NewPaymentMethod,
  type PaymentMethod,
  type PaymentMethodSecret,
} from './payment-method.js';
import type { PAYMENT_METHOD_DATA } from './payment-method-params.js';
import { namedTestCard, type TestCard, testCardByNumber } from './test-cards.js';
import { namedTestDebit, testDebitByAccountNumber, testDebitByIban } from './test-debits.js';

export type PaymentMethodData = Parsed<typeof PAYMENT_METHOD_DATA>;

/** The method behind an id. A magic id such as `pm_card_visa` gives a new method at each use, as at Stripe. */
export function usePaymentMethod(act: Act, id: string, param = 'payment_method', status: 400 | 404 = 400): PaymentMethod {
  const known = act.account.find('payment_methods', id);
  if (known !== undefined) return known;
  const instrument = magicInstrument(id);
  if (instrument === undefined) throw missingResource('PaymentMethod', id, param, status);
  return keep(act, { instrument, at: act.at });
}

export function createPaymentMethod(act: Act, data: PaymentMethodData, prefix = ''): PaymentMethod {
  const nameOf = (name: string): string => (prefix === '' ? name : `${prefix}[${name}]`);
  if (data.type === undefined) throw invalidParameter('parameter_missing', `Missing required param: ${nameOf('type')}.`, nameOf('type'));
  return keep(act, {
    instrument: instrumentOf(act, data, nameOf),
    at: act.at,
    billingDetails: billingDetails(data.billing_details),
    metadata: changedMetadata({}, data.metadata),
    ...(data.card?.exp_month === undefined ? {} : { expMonth: data.card.exp_month }),
    ...(data.card?.exp_year === undefined ? {} : { expYear: fullYear(data.card.exp_year) }),
  });
}

/** What the issuer does, and what became of the method. */
export function secretOf(act: Act, method: PaymentMethod): PaymentMethodSecret {
  const secret = act.account.find('payment_method_secrets', method.id);
  if (secret === undefined) throw new Error(`payment method ${method.id} has no hidden half`);
  return secret;
}

/** Refuses a method that is spent, or that belongs to somebody else than the payment. */
export function refuseUnusable(act: Act, method: PaymentMethod, customer: string | null): void {
  if (secretOf(act, method).consumed && method.customer === null) {
    throw invalidRequest(
      'The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.',
    );
  }
  if (method.customer !== null && customer === null) {
    throw invalidRequest(
      `The payment method ${method.id} belongs to the Customer ${method.customer}. Please include the Customer in the \`customer\` parameter on the PaymentIntent.`,
      { param: 'payment_method' },
    );
  }
  if (method.customer !== null && method.customer !== customer) {
    throw invalidRequest(
      `The customer does not have a payment method with the ID ${method.id}. The payment method must be attached to the customer.`,
      {
        param: 'payment_method',
      },
    );
  }
}

/** A customer keeps a card only after its issuer was asked, so most cards that decline a payment decline this too. */
export function refuseUnkeepable(act: Act, method: PaymentMethod): void {
  const { instrument } = secretOf(act, method);
  if (instrument.kind !== 'card' || instrument.card.attaches || instrument.card.decline === null) return;
  const { code, message, declineCode, param } = instrument.card.decline;
  throw new StripeError(402, {
    type: 'card_error',
    code,
    message,
    param,
    details: declineCode === null ? {} : { decline_code: declineCode },
  });
}

/** Binds a method to a customer, so that it can be used again. */
export function attach(act: Act, method: PaymentMethod, customer: string): PaymentMethod {
  if (method.customer === customer) return method;
  const attached = act.account.save('payment_methods', { ...method, customer });
  emit(act, 'payment_method.attached', attached);
  return attached;
}

/** Takes a method from its customer. It may not be used again. */
export function detach(act: Act, method: PaymentMethod): PaymentMethod {
  const detached = act.account.save('payment_methods', { ...method, customer: null });
  act.account.save('payment_method_secrets', { ...secretOf(act, method), consumed: true });
  emit(act, 'payment_method.detached', detached, method);
  return detached;
}

export function detachAll(act: Act, customer: string): void {
  const methods = Array.from(act.account.all('payment_methods').oldestFirst()).filter((method) => method.customer === customer);
  for (const method of methods) detach(act, method);
}

export function billingDetails(given: PaymentMethodData['billing_details']): BillingDetails {
  if (given === undefined) return EMPTY_BILLING_DETAILS;
  return {
    address: given.address === undefined || given.address === null ? EMPTY_BILLING_DETAILS.address : toAddress(given.address),
    email: given.email ?? null,
    name: given.name ?? null,
    phone: given.phone ?? null,
    tax_id: given.tax_id ?? null,
  };
}

function keep(act: Act, from: NewPaymentMethod): PaymentMethod {
  const method = act.account.save('payment_methods', newPaymentMethod(from));
  const { instrument } = from;
  const setUpForOffSession = instrument.kind === 'card' && instrument.card.authentication === 'on_session';
  act.account.save('payment_method_secrets', { id: method.id, created: method.created, instrument, consumed: false, setUpForOffSession });
  return method;
}

function magicInstrument(id: string): Instrument | undefined {
  const card = id.startsWith('pm_') ? namedTestCard(id) : undefined;
  if (card !== undefined) return { kind: 'card', card };
  const debit = namedTestDebit(id);
  return debit === undefined ? undefined : { kind: 'debit', debit };
}

function instrumentOf(act: Act, data: PaymentMethodData, nameOf: (name: string) => string): Instrument {
  switch (data.type) {
    case 'card':
      return { kind: 'card', card: cardOf(act, data, nameOf('card')) };
    case 'sepa_debit': {
      const debit = testDebitByIban(data.sepa_debit?.iban ?? '');
      if (debit === undefined)
        throw invalidRequest('The IBAN you entered is invalid.', { code: 'invalid_bank_account_iban', param: nameOf('sepa_debit[iban]') });
      return { kind: 'debit', debit };
    }
    case 'us_bank_account': {
      const debit = testDebitByAccountNumber(data.us_bank_account?.account_number ?? '');
      if (debit === undefined)
        throw invalidRequest('You must use a test bank account number.', {
          code: 'account_number_invalid',
          param: nameOf('us_bank_account[account_number]'),
        });
      return { kind: 'debit', debit };
    }
    case undefined:
      throw invalidParameter('parameter_missing', `Missing required param: ${nameOf('type')}.`, nameOf('type'));
  }
}

function cardOf(act: Act, data: PaymentMethodData, name: string): TestCard {
  const { card } = data;
  if (card?.token !== undefined) {
    const named = namedTestCard(card.token);
    if (named === undefined) throw missingResource('token', card.token, `${name}[token]`, 400);
    return named;
  }
  const number = card?.number?.replaceAll(/[\s-]/g, '');
  if (number === undefined) throw invalidParameter('parameter_missing', `Missing required param: ${name}[number].`, `${name}[number]`);
  if (!passesLuhn(number)) throw cardError('incorrect_number', 'Your card number is incorrect.', 'number');
  const { exp_month: month, exp_year: year } = card ?? {};
  if (month !== undefined && (month < 1 || month > 12))
    throw cardError('invalid_expiry_month', "Your card's expiration month is invalid.", 'exp_month');
  if (year !== undefined && isPast(fullYear(year), month ?? 12, act.at))
    throw cardError('invalid_expiry_year', "Your card's expiration year is invalid.", 'exp_year');
  if (card?.cvc !== undefined && !/^\d{3,4}$/.test(card.cvc))
    throw cardError('invalid_cvc', "Your card's security code is invalid.", 'cvc');
  const known = testCardByNumber(number);
  if (known === undefined) {
    throw new StripeError(402, {
      type: 'card_error',
      code: 'card_declined',
      message:
        'Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test cards, visit: https://stripe.com/docs/testing.',
      param: 'number',
      details: { decline_code: 'live_mode_test_card' },
    });
  }
  return known;
}

function cardError(code: string, message: string, param: string): StripeError {
  return new StripeError(402, { type: 'card_error', code, message, param });
}

function passesLuhn(number: string): boolean {
  if (!/^\d{12,19}$/.test(number)) return false;
  const digits = Array.from(number, Number).reverse();
  const sum = digits.reduce((total, digit, index) => {
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
}

function fullYear(year: number): number {
  return year < 100 ? 2000 + year : year;
}

function isPast(year: number, month: number, at: number): boolean {
  return Date.UTC(year, month, 1) <= at * 1000;
}
