/**
 * Amounts are integers in the unit Stripe takes for the currency, which is Stripe's table and not ISO 4217's.
 * Source: docs.stripe.com/currencies (zero-decimal, special cases, minimum and maximum charge amounts).
 */

const ZERO_DECIMAL = 'bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' ');
const THREE_DECIMAL = 'bhd jod kwd omr tnd'.split(' ');
/** Sent with two decimals for historical reasons although the currency has none: the amount must end in 00. */
const TWO_DECIMAL_ENDING_IN_00 = 'isk ugx'.split(' ');
const TWO_DECIMAL = (
  'usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc cve czk dkk dop ' +
  'dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd ' +
  'mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos ' +
  'srd std szl thb tjs top try ttd twd tzs uah uyu uzs wst xcd xcg yer zar zmw'
).split(' ');

/** Stripe's minimum charge where it publishes one for the currency; others are settled by Stripe's answer. */
const MINIMUM: Readonly<Record<string, number>> = {
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

/** Eight digits: the most Stripe takes, whatever the payment method, but in the few currencies it allows more digits. */
export const MAXIMUM_AMOUNT = 99_999_999;
const MAXIMUM: Readonly<Record<string, number>> = { idr: 999_999_999_999, cop: 9_999_999_999, inr: 999_999_999 };

/** The most Stripe takes in any currency. */
export const LARGEST_AMOUNT = Math.max(MAXIMUM_AMOUNT, ...Object.values(MAXIMUM));

interface CurrencyRule {
  /** Decimals of the amount Stripe takes: 2 means that 100 is one unit. */
  readonly decimals: 0 | 2 | 3;
  /** Every amount must be a multiple of this. */
  readonly step: number;
  readonly minimum: number;
  readonly maximum: number;
}

const RULES = new Map<string, CurrencyRule>();
const register = (codes: readonly string[], decimals: CurrencyRule['decimals'], step: number): void => {
  for (const code of codes) RULES.set(code, { decimals, step, minimum: MINIMUM[code] ?? step, maximum: MAXIMUM[code] ?? MAXIMUM_AMOUNT });
};
register(ZERO_DECIMAL, 0, 1);
register(TWO_DECIMAL, 2, 1);
register(TWO_DECIMAL_ENDING_IN_00, 2, 100);
register(THREE_DECIMAL, 3, 10);

/** Every currency Stripe charges in, as lowercase ISO code. */
export const CURRENCIES: readonly string[] = [...RULES.keys()];

/** Stripe's rule for a lowercase currency code, or null when Stripe does not charge in it. */
export function currencyRule(currency: string): CurrencyRule | null {
  return RULES.get(currency) ?? null;
}

/** The amount as people write it: `formatAmount(4300, 'usd')` is `43.00 USD`. */
export function formatAmount(amount: number, currency: string): string {
  const decimals = currencyRule(currency)?.decimals ?? 2;
  return `${(amount / 10 ** decimals).toFixed(decimals)} ${currency.toUpperCase()}`;
}
