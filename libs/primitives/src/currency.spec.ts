import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CURRENCIES, currencyRule, formatAmount, MAXIMUM_AMOUNT } from './currency.js';

/** Stripe's special cases, as its page on currencies lists them; every other currency has two decimals. */
const ZERO_DECIMAL = ['BIF', 'CLP', 'DJF', 'GNF', 'JPY', 'KMF', 'KRW', 'MGA', 'PYG', 'RWF', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'];
const THREE_DECIMAL_ENDING_IN_0 = ['BHD', 'JOD', 'KWD', 'OMR', 'TND'];
const TWO_DECIMAL_ENDING_IN_00 = ['ISK', 'UGX'];

const ruleOf = (code: string): NonNullable<ReturnType<typeof currencyRule>> => currencyRule(code) ?? assert.fail(`${code} is unknown`);
const anyCurrency = fc.constantFrom(...CURRENCIES);
const anyAmount = fc.nat({ max: MAXIMUM_AMOUNT });

describe('the currency table', () => {
  it("has Stripe's decimals, which are not those of ISO 4217", () => {
    for (const code of CURRENCIES) {
      const upper = code.toUpperCase();
      const decimals = ZERO_DECIMAL.includes(upper) ? 0 : THREE_DECIMAL_ENDING_IN_0.includes(upper) ? 3 : 2;
      const step = THREE_DECIMAL_ENDING_IN_0.includes(upper) ? 10 : TWO_DECIMAL_ENDING_IN_00.includes(upper) ? 100 : 1;
      assert.deepEqual([ruleOf(code).decimals, ruleOf(code).step], [decimals, step], code);
    }
    for (const code of [...ZERO_DECIMAL, ...THREE_DECIMAL_ENDING_IN_0, ...TWO_DECIMAL_ENDING_IN_00, 'HUF', 'TWD', 'USD', 'EUR']) {
      assert.ok(CURRENCIES.includes(code.toLowerCase()), `${code} is missing`);
    }
  });

  it('lists each currency once, by its lowercase code of three letters', () => {
    assert.equal(new Set(CURRENCIES).size, CURRENCIES.length);
    assert.deepEqual(
      CURRENCIES.filter((code) => !/^[a-z]{3}$/.test(code)),
      [],
    );
  });

  it('has minimums that can be charged: positive, within the maximum, multiples of the step', () => {
    for (const code of CURRENCIES) {
      const { minimum, step } = ruleOf(code);
      assert.ok(minimum > 0 && minimum <= MAXIMUM_AMOUNT && minimum % step === 0, code);
    }
  });

  it("has Stripe's published minimums", () => {
    const published =
      '0.50 USD, 2.00 AED, 0.50 AUD, 1.00 BGN, 0.50 BRL, 0.50 CAD, 0.50 CHF, 15.00 CZK, 2.50 DKK, 0.50 EUR, 0.30 GBP, 4.00 HKD, 175.00 HUF, ' +
      '0.50 INR, 50 JPY, 10.00 MXN, 2.00 MYR, 3.00 NOK, 0.50 NZD, 2.00 PLN, 2.00 RON, 3.00 SEK, 0.50 SGD, 10.00 THB';
    for (const text of published.split(', ')) {
      const code = text.slice(-3).toLowerCase();
      assert.equal(formatAmount(ruleOf(code).minimum, code), text);
    }
  });

  it("has Stripe's maximums: eight digits, but for the three currencies it allows more in", () => {
    const more: Readonly<Record<string, number>> = { idr: 999_999_999_999, cop: 9_999_999_999, inr: 999_999_999 };
    for (const code of CURRENCIES) assert.equal(ruleOf(code).maximum, more[code] ?? 99_999_999, code);
    assert.equal(formatAmount(ruleOf('idr').maximum, 'idr'), '9999999999.99 IDR');
  });

  it('takes a code in lowercase only and knows no look-alike', () => {
    for (const text of ['USD', 'Usd', 'usd ', ' usd', 'us', 'usdd', 'xxx', '', 'ısk', 'uѕd', '__proto__', 'constructor', 'toString']) {
      assert.equal(currencyRule(text), null, JSON.stringify(text));
    }
  });
});

describe('an amount as people write it', () => {
  it('has the decimals of its currency', () => {
    const written = { usd: '43.00 USD', jpy: '4300 JPY', kwd: '4.300 KWD', isk: '43.00 ISK', huf: '43.00 HUF' };
    for (const [code, text] of Object.entries(written)) assert.equal(formatAmount(4_300, code), text);
    assert.equal(formatAmount(0, 'usd'), '0.00 USD');
    assert.equal(formatAmount(5, 'usd'), '0.05 USD');
    assert.equal(formatAmount(MAXIMUM_AMOUNT, 'usd'), '999999.99 USD');
  });

  it('has two decimals in a currency that is not known', () => {
    assert.equal(formatAmount(100, 'xxx'), '1.00 XXX');
  });

  it('reads back as the same amount, in every currency', () => {
    fc.assert(
      fc.property(anyCurrency, anyAmount, (code, amount) => {
        const [, whole = '', fraction = '', name] = /^(\d+)(?:\.(\d+))? ([A-Z]{3})$/.exec(formatAmount(amount, code)) ?? assert.fail();
        assert.deepEqual([Number(whole + fraction), fraction.length, name], [amount, ruleOf(code).decimals, code.toUpperCase()]);
      }),
    );
  });
});
