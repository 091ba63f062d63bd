import { invalidRequest } from '../http/stripe-error.js';

/** The least a card can be charged with, in minor units, by currency. Source: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts */
const MINIMUMS: Readonly<Record<string, number>> = {
  usd: 50,
  aed: 200,
  aud: 50,
  bgn: 100,
  brl: 50,
  cad: 50,
  chf: 50,
  czk: 1500,
  dkk: 250,
  eur: 50,
  gbp: 30,
  hkd: 400,
  huf: 17500,
  inr: 50,
  jpy: 50,
  mxn: 1000,
  myr: 200,
  nok: 300,
  nzd: 50,
  pln: 200,
  ron: 200,
  sek: 300,
  sgd: 50,
  thb: 1000,
};

/** Every currency a card can be charged in. */
const CURRENCIES = new Set(
  `usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp cny cop crc cve czk djf dkk dop
  dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl
  mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd
  shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw`.split(/\s+/),
);

const THREE_DECIMALS = new Set(['bhd', 'jod', 'kwd', 'omr', 'tnd']);
/** Without decimals by now, but still sent with two, which must be 00. */
const TWO_EMPTY_DECIMALS = new Set(['isk', 'ugx']);

/** Eight digits, but for the rupee and the few currencies whose unit is worth so little that Stripe takes twelve. */
const AMOUNT_MAX = 99_999_999;
const AMOUNT_MAX_INR = 999_999_999;
const AMOUNT_MAX_OF_SMALL_UNITS = 999_999_999_999;
const SMALL_UNITS = new Set([
  'clp',
  'cop',
  'gnf',
  'huf',
  'idr',
  'jpy',
  'khr',
  'krw',
  'lak',
  'lbp',
  'mga',
  'mmk',
  'ngn',
  'pyg',
  'rwf',
  'tzs',
  'ugx',
  'uzs',
  'vnd',
]);

export function acceptedCurrency(given: string): string {
  const currency = given.toLowerCase();
  if (CURRENCIES.has(currency)) return currency;
  throw invalidRequest(`Invalid currency: ${given}. Stripe currently supports these currencies: ${[...CURRENCIES].join(', ')}`, {
    param: 'currency',
    kept: false,
  });
}

/** Refuses an amount Stripe would not charge in that currency. */
export function refuseUnchargeable(amount: number, currency: string): void {
  const minimum = MINIMUMS[currency] ?? 1;
  if (amount < minimum) {
    throw invalidRequest(
      `Amount must be at least ${minimum} ${currency} in the smallest currency unit. See https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts`,
      { code: 'amount_too_small', param: 'amount' },
    );
  }
  if (amount > (SMALL_UNITS.has(currency) ? AMOUNT_MAX_OF_SMALL_UNITS : currency === 'inr' ? AMOUNT_MAX_INR : AMOUNT_MAX)) {
    throw invalidRequest(`Amount must be no more than the maximum for ${currency}.`, { code: 'amount_too_large', param: 'amount' });
  }
  refuseTooPrecise(amount, currency, 'amount');
}

/** Refuses an amount with decimals that the currency does not have, of whatever is charged, captured or returned. */
export function refuseTooPrecise(amount: number, currency: string, param: string): void {
  if ((THREE_DECIMALS.has(currency) && amount % 10 !== 0) || (TWO_EMPTY_DECIMALS.has(currency) && amount % 100 !== 0)) {
    throw invalidRequest(`Invalid amount: ${amount} is more precise than payments in ${currency} can be.`, { param });
  }
}
