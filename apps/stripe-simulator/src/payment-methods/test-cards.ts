/**
 * Stripe's test cards and what each of them does. Source: https://docs.stripe.com/testing
 */

export interface Decline {
  code: string;
  declineCode: string | null;
  message: string;
  /** Set where the fault lies in one field of the card. */
  param?: string;
}

export type Authentication =
  /** Never asked for. */
  | 'none'
  /** Supported by the card, but not asked for by its issuer. */
  | 'optional'
  /** Asked for on every payment, on or off session. */
  | 'always'
  /** Asked for until the card has been set up for off-session use. */
  | 'until_set_up'
  /** Already set up: asked for on session only. */
  | 'on_session';

export interface TestCard {
  number: string;
  brand: string;
  country: string;
  funding: 'credit' | 'debit' | 'prepaid';
  authentication: Authentication;
  /** Refusal by the issuer (after authentication, where that is asked for). */
  decline: Decline | null;
  /** Whether a customer may keep it although it is declined when charged. */
  attaches: boolean;
  /** Refused by the simulated Radar instead of the issuer. */
  blocked: boolean;
  refund: 'succeeded' | 'pending' | 'fails_later';
  dispute: { reason: string; inquiry: boolean } | null;
  cvcCheck: 'pass' | 'fail';
}

const DECLINES = {
  generic: decline('card_declined', 'generic_decline', 'Your card was declined.'),
  insufficientFunds: decline('card_declined', 'insufficient_funds', 'Your card has insufficient funds.'),
  lost: decline('card_declined', 'lost_card', 'Your card was declined.'),
  stolen: decline('card_declined', 'stolen_card', 'Your card was declined.'),
  velocity: decline(
    'card_declined',
    'card_velocity_exceeded',
    'Your card was declined for making repeated attempts too frequently or exceeding its amount limit.',
  ),
  fraudulent: decline('card_declined', 'fraudulent', 'Your card was declined.'),
  expired: { ...decline('expired_card', null, 'Your card has expired.'), param: 'exp_month' },
  cvc: { ...decline('incorrect_cvc', null, "Your card's security code is incorrect."), param: 'cvc' },
  processing: decline('processing_error', null, 'An error occurred while processing your card. Try again in a little bit.'),
} as const;

/** The decline of an off-session payment whose issuer wants its holder to authenticate. */
export const AUTHENTICATION_REQUIRED: Decline = decline(
  'authentication_required',
  'authentication_required',
  'Your card was declined. This transaction requires authentication.',
);

const plain = card('4242424242424242');

/** Every test card by the name Stripe gives it in `pm_card_<name>`. */
const NAMED_CARDS: Readonly<Record<string, TestCard>> = {
  visa: plain,
  visa_debit: card('4000056655665556', { funding: 'debit' }),
  mastercard: card('5555555555554444', { brand: 'mastercard' }),
  mastercard_debit: card('5200828282828210', { brand: 'mastercard', funding: 'debit' }),
  mastercard_prepaid: card('5105105105105100', { brand: 'mastercard', funding: 'prepaid' }),
  amex: card('378282246310005', { brand: 'amex' }),
  discover: card('6011111111111117', { brand: 'discover' }),
  diners: card('3056930009020004', { brand: 'diners' }),
  jcb: card('3566002020360505', { brand: 'jcb', country: 'JP' }),
  unionpay: card('6200000000000005', { brand: 'unionpay', country: 'CN' }),
  us: plain,
  br: card('4000000760000002', { country: 'BR' }),
  ca: card('4000001240000000', { country: 'CA' }),
  mx: card('4000004840008001', { country: 'MX' }),
  at: card('4000000400000008', { country: 'AT' }),
  de: card('4000002760000016', { country: 'DE' }),
  es: card('4000007240000007', { country: 'ES' }),
  fr: card('4000002500000003', { country: 'FR' }),
  gb: card('4000008260000000', { country: 'GB' }),
  it: card('4000003800000008', { country: 'IT' }),
  jp: card('4000003920000003', { country: 'JP' }),
  bypassPending: card('4000000000000077'),
  bypassPendingInternational: card('4000003720000278', { country: 'IE' }),

  chargeDeclined: card('4000000000000002', { decline: DECLINES.generic }),
  chargeDeclinedInsufficientFunds: card('4000000000009995', { decline: DECLINES.insufficientFunds }),
  chargeDeclinedLostCard: card('4000000000009987', { decline: DECLINES.lost }),
  chargeDeclinedStolenCard: card('4000000000009979', { decline: DECLINES.stolen }),
  chargeDeclinedExpiredCard: card('4000000000000069', { decline: DECLINES.expired }),
  chargeDeclinedIncorrectCvc: card('4000000000000127', { decline: DECLINES.cvc, cvcCheck: 'fail' }),
  chargeDeclinedProcessingError: card('4000000000000119', { decline: DECLINES.processing }),
  chargeDeclinedVelocityLimitExceeded: card('4000000000006975', { decline: DECLINES.velocity }),
  chargeDeclinedFraudulent: card('4100000000000019', { decline: DECLINES.fraudulent, blocked: true }),
  radarBlock: card('4100000000000019', { decline: DECLINES.fraudulent, blocked: true }),
  chargeCustomerFail: card('4000000000000341', { decline: DECLINES.generic, attaches: true }),
  cvcCheckFail: card('4000000000000101', { cvcCheck: 'fail' }),

  authenticationRequired: card('4000002760003184', { country: 'DE', authentication: 'always' }),
  authenticationRequiredOnSetup: card('4000002500003155', { country: 'FR', authentication: 'until_set_up' }),
  authenticationRequiredSetupForOffSession: card('4000003800000446', { country: 'IT', authentication: 'on_session' }),
  authenticationRequiredChargeDeclinedInsufficientFunds: card('4000008260003178', {
    country: 'GB',
    authentication: 'always',
    decline: DECLINES.insufficientFunds,
  }),
  threeDSecureRequired: card('4000000000003063', { authentication: 'always' }),
  threeDSecure2Required: card('4000000000003220', { authentication: 'always' }),
  threeDSecureRequiredChargeDeclined: card('4000008400001629', { authentication: 'always', decline: DECLINES.generic }),
  threeDSecureRequiredProcessingError: card('4000008400001280', { authentication: 'always', decline: DECLINES.processing }),
  threeDSecureOptional: card('4000000000003055', { authentication: 'optional' }),

  pendingRefund: card('4000000000007726', { refund: 'pending' }),
  refundFail: card('4000000000005126', { refund: 'fails_later' }),
  createDispute: card('4000000000000259', { dispute: { reason: 'fraudulent', inquiry: false } }),
  createDisputeProductNotReceived: card('4000000000002685', { dispute: { reason: 'product_not_received', inquiry: false } }),
  createDisputeInquiry: card('4000000000001976', { dispute: { reason: 'product_not_received', inquiry: true } }),
};

/** Numbers that work but have no `pm_card_` name of their own. */
const FURTHER_CARDS: readonly TestCard[] = [
  card('2223003122003222', { brand: 'mastercard' }),
  card('371449635398431', { brand: 'amex' }),
  card('6011000990139424', { brand: 'discover' }),
  card('36227206271667', { brand: 'diners' }),
];

const CARDS_BY_NUMBER = new Map([...Object.values(NAMED_CARDS), ...FURTHER_CARDS].map((known) => [known.number, known]));

/**
 * The card behind a magic id such as `pm_card_visa`, `pm_card_visa_chargeDeclined` or `pm_card_chargeDeclined`
 * (Stripe accepts the brand in front of what the card does), or of a token `tok_...` of the same name.
 */
export function namedTestCard(id: string): TestCard | undefined {
  const name = /^(?:pm_card|tok)_(.+)$/.exec(id)?.[1];
  if (name === undefined) return undefined;
  return ownCard(name) ?? ownCard(name.replace(/^(?:visa|mastercard|amex)_/, ''));
}

export function testCardByNumber(number: string): TestCard | undefined {
  return CARDS_BY_NUMBER.get(number);
}

/** For the list of what can be paid with. */
export function testCardNames(): string[] {
  return Object.keys(NAMED_CARDS);
}

function ownCard(name: string): TestCard | undefined {
  return Object.hasOwn(NAMED_CARDS, name) ? NAMED_CARDS[name] : undefined;
}

function card(number: string, traits: Partial<TestCard> = {}): TestCard {
  return {
    number,
    brand: 'visa',
    country: 'US',
    funding: 'credit',
    authentication: 'none',
    decline: null,
    attaches: traits.decline === undefined || traits.authentication !== undefined,
    blocked: false,
    refund: 'succeeded',
    dispute: null,
    cvcCheck: 'pass',
    ...traits,
  };
}

function decline(code: string, declineCode: string | null, message: string): Decline {
  return { code, declineCode, message };
}
