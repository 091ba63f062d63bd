import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type OrderRequest } from '#libs/orders';
import { CURRENCIES, DomainError, MAXIMUM_AMOUNT } from '#libs/primitives';
import { type Caller } from '../callers/caller.js';
import { parseCreateOrder } from './create-order.request.js';

const SECRET: Caller = { keyId: 'k1', accountId: 'a1', mode: 'test', audience: 'secret', scopes: [], origins: null };
const BROWSER: Caller = { ...SECRET, audience: 'publishable', origins: ['https://shop.example', 'http://localhost:8080'] };

const ITEM = { name: 'Gift wrap', unitAmount: 300, quantity: 1 };
const ORDER = { currency: 'usd', items: [ITEM] };

const parse = (more: object, caller = SECRET): OrderRequest => parseCreateOrder({ ...ORDER, ...more }, caller);

/** The fields an order is refused for; empty when it is taken. */
function wrong(more: object, caller = SECRET): readonly string[] {
  try {
    parse(more, caller);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    assert.equal(error.code, 'validation_failed');
    return [...new Set(error.errors.map(({ field }) => field))];
  }
  return [];
}

const withItem = (more: object): object => ({ items: [{ ...ITEM, ...more }] });

describe('the body of a new order', () => {
  it('becomes the request that it says', () => {
    assert.deepEqual(
      parse({
        items: [{ price: 'tshirt', quantity: 2 }, ITEM],
        customer: { email: 'ada@example.com', name: 'Ada' },
        reference: 'cart-4711',
        metadata: { k: 'v' },
        paymentMethod: 'pm_card_visa',
        captureMethod: 'manual',
        checkout: 'elements',
        returnUrl: 'https://shop.example/return',
      }),
      {
        currency: 'usd',
        items: [{ price: 'tshirt', quantity: 2 }, ITEM],
        customer: { email: 'ada@example.com', name: 'Ada', stripeCustomerId: null },
        reference: 'cart-4711',
        metadata: { k: 'v' },
        paymentMethod: 'pm_card_visa',
        captureMethod: 'manual',
        checkout: 'elements',
        returnUrl: 'https://shop.example/return',
        saveCard: false,
        offSession: false,
      },
    );
  });

  it('needs a currency and items only; what is null counts as left out', () => {
    const least = parse({});
    assert.deepEqual(least, {
      ...ORDER,
      customer: null,
      reference: null,
      metadata: {},
      paymentMethod: null,
      captureMethod: 'automatic',
      checkout: 'elements',
      returnUrl: null,
      saveCard: false,
      offSession: false,
    });
    const nulls = {
      customer: null,
      reference: null,
      metadata: null,
      paymentMethod: null,
      captureMethod: null,
      checkout: null,
      returnUrl: null,
      saveCard: null,
      offSession: null,
    };
    assert.deepEqual(parse(nulls), least);
    assert.deepEqual(parse(nulls, BROWSER), least);
    assert.deepEqual(wrong({ currency: undefined, items: undefined }), ['currency', 'items']);
  });

  it('names no field that is not known, such as those a server decides on', () => {
    for (const field of ['status', 'amount', 'amountRefunded', 'id', 'accountId', 'livemode', 'clientSecret', 'stripePaymentIntentId'])
      assert.deepEqual(wrong({ [field]: 1 }), [field]);
    assert.deepEqual(wrong(withItem({ amount: 1 })), ['items.0.amount']);
    assert.deepEqual(wrong({ customer: { id: 'cus_1' } }), ['customer.id']);
  });
});

describe('the currency of a new order', () => {
  it('is the lowercase code of one that Stripe charges in', () => {
    for (const currency of CURRENCIES) assert.equal(parse({ currency }).currency, currency);
  });

  it('is refused in any other spelling, look-alikes included', () => {
    for (const currency of ['USD', 'Usd', 'usd ', 'us', 'xxx', '', 'ısk', 'uѕd', 'toString', 840, null, true, ['usd'], { usd: 1 }]) {
      assert.deepEqual(wrong({ currency }), ['currency'], JSON.stringify(currency));
    }
  });
});

describe('the items of a new order', () => {
  it('are one to a hundred', () => {
    assert.equal(parse({ items: Array.from({ length: 100 }, () => ITEM) }).items.length, 100);
    assert.deepEqual(wrong({ items: [] }), ['items']);
    assert.deepEqual(wrong({ items: Array.from({ length: 101 }, () => ITEM) }), ['items']);
  });

  it('are a list of objects and nothing like it', () => {
    for (const items of [null, 1, 'tshirt', true, {}, ITEM, { length: 1, 0: ITEM }])
      assert.ok(wrong({ items }).includes('items'), JSON.stringify(items));
    for (const item of [null, 1, 'tshirt', true, [], [ITEM]])
      assert.deepEqual(wrong({ items: [ITEM, item] }), ['items.1'], JSON.stringify(item));
  });

  it('have a quantity from 1 to 10,000', () => {
    for (const quantity of [1, 10_000, 1.0, 1e2]) assert.deepEqual(wrong(withItem({ quantity })), []);
    for (const quantity of [0, -1, 10_001, 0.5, 1.000_000_1, 2 ** 53, Number.MAX_VALUE, '1', '', true, null, undefined, [], [1], {}]) {
      assert.deepEqual(wrong(withItem({ quantity })), ['items.0.quantity'], JSON.stringify(quantity));
    }
  });

  it('have an amount that is a whole number of the smallest unit, and exact; what is too much in sum is judged later', () => {
    for (const unitAmount of [0, 1, 1e2, MAXIMUM_AMOUNT + 1, Number.MAX_SAFE_INTEGER])
      assert.deepEqual(wrong(withItem({ unitAmount })), []);
    for (const unitAmount of [-1, 0.5, 1.005, 2 ** 53, Number.MAX_VALUE, '100', '', true, [], [1], {}]) {
      assert.deepEqual(wrong(withItem({ unitAmount })), ['items.0.unitAmount'], JSON.stringify(unitAmount));
    }
  });

  it('have a price, or a name and an amount, and never both', () => {
    const shapes = [
      {},
      { name: 'a' },
      { unitAmount: 1 },
      { price: 'p', name: 'a' },
      { price: 'p', unitAmount: 1 },
      { price: 'p', name: 'a', unitAmount: 1 },
      { price: null, name: null },
    ];
    for (const shape of shapes) assert.deepEqual(wrong({ items: [{ quantity: 1, ...shape }] }), ['items.0'], JSON.stringify(shape));
    assert.deepEqual(parse({ items: [{ quantity: 1, price: 'p', name: null, unitAmount: null }] }).items, [{ price: 'p', quantity: 1 }]);
  });

  it('are refused all at once, each by its place', () => {
    assert.deepEqual(wrong({ currency: 'x', items: [ITEM, { ...ITEM, quantity: 0 }, { ...ITEM, unitAmount: -1 }] }), [
      'currency',
      'items.1.quantity',
      'items.2.unitAmount',
    ]);
    assert.deepEqual(wrong({ items: [{ quantity: 1 }, ITEM, { quantity: 1 }] }), ['items.0', 'items.2']);
  });
});

describe('the texts of a new order', () => {
  const places: Readonly<Record<string, (text: unknown) => object>> = {
    'items.0.name': (name) => withItem({ name }),
    'items.0.price': (price) => ({ items: [{ price, quantity: 1 }] }),
    'customer.name': (name) => ({ customer: { name } }),
    reference: (reference) => ({ reference }),
  };
  for (const [field, put] of Object.entries(places)) {
    it(`are 1 to 200 characters of any script, without control characters: ${field}`, () => {
      for (const text of [
        'a',
        'x'.repeat(200),
        '🛒'.repeat(100),
        'e\u0301',
        '\u202eabc',
        "Robert'); DROP TABLE orders; --",
        '<script>alert(1)</script>',
        '=1+1',
        '../../etc',
        '${x}',
        '%s%n',
      ]) {
        assert.deepEqual(wrong(put(text)), [], JSON.stringify(text));
      }
      for (const text of ['', 'x'.repeat(201), '🛒'.repeat(101), 'a\u0000', 'a\r\nX: y', '\u001b[0m', '\ud800', 7, true, ['a'], { a: 1 }]) {
        assert.deepEqual(wrong(put(text)), [field], JSON.stringify(text));
      }
    });
  }

  it('are an email address where one is asked for', () => {
    for (const email of ['ada@example.com', 'a+b@example.co.uk', 'ünïcödé@example.com'])
      assert.equal(parse({ customer: { email } }).customer?.email, email);
    for (const email of [
      'ada',
      'ada@',
      '@example.com',
      'a b@example.com',
      'ada@example.com\r\nBcc: eve@example.com',
      'a\u0000@example.com',
      '"a\u0001b"@example.com',
      `${'a'.repeat(250)}@example.com`,
      7,
      ['ada@example.com'],
    ]) {
      assert.deepEqual(wrong({ customer: { email } }), ['customer.email'], JSON.stringify(email));
    }
  });

  it('are of a customer, who is an object', () => {
    for (const customer of ['ada@example.com', 1, true, [], [{ email: 'ada@example.com' }]])
      assert.ok(wrong({ customer }).includes('customer'), JSON.stringify(customer));
    assert.deepEqual(parse({ customer: {} }).customer, { email: null, name: null, stripeCustomerId: null });
  });
});

describe('the choices of a new order', () => {
  const choices: Readonly<Record<string, { right: readonly string[]; wrong: readonly unknown[] }>> = {
    paymentMethod: {
      right: ['pm_card_visa', 'pm_1'],
      wrong: ['', 'pm_', 'card_visa', 'pm_card visa', 'pm_1/../x', 'pm_1\n', `pm_${'x'.repeat(201)}`, 4_242, ['pm_1'], '4242424242424242'],
    },
    captureMethod: { right: ['automatic', 'manual'], wrong: ['', 'Manual', 'none', 1, ['manual']] },
    checkout: { right: ['elements'], wrong: ['', 'page', 1, ['elements']] },
  };
  for (const [field, { right, wrong: bad }] of Object.entries(choices)) {
    it(`are what can be chosen: ${field}`, () => {
      for (const value of right) assert.deepEqual(wrong({ [field]: value }), [], value);
      for (const value of bad) assert.deepEqual(wrong({ [field]: value }), [field], JSON.stringify(value));
    });
  }
});

describe('a new order that is paid on the page of Stripe', () => {
  const hosted = { checkout: 'hosted', returnUrl: 'https://shop.example/return' };

  it('says where its buyer comes back to, and leaves the payment method to them', () => {
    const { checkout, returnUrl, paymentMethod } = parse(hosted);
    assert.deepEqual({ checkout, returnUrl, paymentMethod }, { ...hosted, paymentMethod: null });
    assert.deepEqual(wrong({ checkout: 'hosted' }), ['returnUrl']);
    assert.deepEqual(wrong({ ...hosted, returnUrl: null }), ['returnUrl']);
    assert.deepEqual(wrong({ ...hosted, paymentMethod: 'pm_card_visa' }), ['paymentMethod']);
    assert.deepEqual(wrong({ checkout: 'hosted', paymentMethod: 'pm_card_visa' }), ['returnUrl', 'paymentMethod']);
  });
});

describe('the metadata of a new order', () => {
  const entries = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']));

  it('has at most 45 entries of at most 40 and 500 characters', () => {
    for (const metadata of [{}, entries(45), { ['k'.repeat(40)]: 'v'.repeat(500) }, { 'a b': 'multi\nline', ünï: '🛒' }])
      assert.deepEqual(parse({ metadata }).metadata, metadata);
    for (const metadata of [entries(46), { ['k'.repeat(41)]: 'v' }, { k: 'v'.repeat(501) }, { '': 'v' }, { k: '' }])
      assert.deepEqual(wrong({ metadata }), ['metadata']);
  });

  it('has texts as values, and neither our names nor the brackets of form encoding as keys', () => {
    const odd = [
      { k: 1 },
      { k: null },
      { k: true },
      { k: ['v'] },
      { k: { l: 'v' } },
      { oncepay_order: 'v' },
      { oncepay_: 'v' },
      { 'a[b': 'v' },
      { 'a]': 'v' },
      { 'a\u0000': 'v' },
      { k: 'a\u0000' },
      { k: '\ud800' },
    ];
    for (const metadata of [...odd, [], ['v'], 'v', 1]) assert.deepEqual(wrong({ metadata }), ['metadata'], JSON.stringify(metadata));
  });

  it('comes through as it is, whatever its keys and values', () => {
    const key = fc
      .string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
      .filter((text) => !/[[\]\u0000-\u001f\u007f]/.test(text) && !(text in Object.prototype) && text.length <= 40);
    const value = fc
      .string({ minLength: 1, maxLength: 100, unit: 'grapheme' })
      .filter((text) => !text.includes('\u0000') && text.length <= 500);
    fc.assert(
      fc.property(fc.dictionary(key, value, { maxKeys: 45, noNullPrototype: true }), (metadata) =>
        assert.deepEqual(parse({ metadata }).metadata, metadata),
      ),
    );
  });
});

describe('the return URL of a new order', () => {
  const accepted = (returnUrl: unknown, caller = SECRET): boolean => wrong({ returnUrl }, caller).length === 0;

  it('is an http or https URL', () => {
    for (const url of [
      'https://shop.example/return?a=1#b',
      'http://localhost:8080/',
      'http://127.0.0.1:3000/x',
      'https://münchen.example/',
    ])
      assert.ok(accepted(url), url);
    const bad = [
      '',
      'shop.example',
      '/return',
      '//shop.example',
      'javascript:alert(1)',
      'data:text/html,x',
      'ftp://shop.example',
      'https://',
      'https://shop example/',
      7,
      ['https://shop.example'],
      `https://shop.example/${'x'.repeat(2_000)}`,
    ];
    for (const url of bad) assert.ok(!accepted(url), JSON.stringify(url));
  });

  it('holds nothing that cannot be stored, and is a URL to browsers too', () => {
    for (const url of [
      'https://shop.example/\u0000',
      'https://shop.example/\u0007',
      'https://shop.example/\ud800',
      'http://1.2.3.0x100/',
      'http://1.2.3.0x100/',
    ]) {
      for (const caller of [SECRET, BROWSER]) assert.ok(!accepted(url, caller), JSON.stringify(url));
    }
  });

  it("is on one of the key's own origins when the key is publishable: scheme, host and port", () => {
    for (const url of ['https://shop.example', 'https://shop.example:443/return', 'https://SHOP.example/x', 'http://localhost:8080/x'])
      assert.ok(accepted(url, BROWSER), url);
    const foreign = [
      'http://shop.example/',
      'https://shop.example:8443/',
      'https://evil.example/',
      'https://shop.example.evil.example/',
      'https://evil-shop.example/',
      'https://shop.example@evil.example/',
      'https://evil.example/https://shop.example/',
      'https://evil.example#https://shop.example',
      'https://evil.example\\@shop.example/',
      'http://localhost:8081/x',
    ];
    for (const url of foreign) assert.ok(!accepted(url, BROWSER), url);
    for (const url of foreign.slice(0, 5)) assert.ok(accepted(url), url);
    assert.ok(accepted('https://evil.example/', { ...BROWSER, origins: null }));
  });
});

describe('the card of a new order', () => {
  const known = { customer: { stripeCustomerId: 'cus_1' } };

  it('is saved with the email of a new customer, or with a customer of before', () => {
    assert.equal(parse({ saveCard: true, customer: { email: 'ada@example.com' } }).saveCard, true);
    assert.equal(parse({ saveCard: true, customer: { email: 'ada@example.com' } }, BROWSER).saveCard, true);
    assert.equal(parse({ saveCard: true, ...known }).customer?.stripeCustomerId, 'cus_1');
    for (const customer of [undefined, null, {}, { name: 'Ada' }])
      assert.deepEqual(wrong({ saveCard: true, customer }), ['customer.email']);
  });

  it('is charged off session with a customer and a payment method of theirs, and is not saved again', () => {
    const offSession = { offSession: true, paymentMethod: 'pm_1', ...known };
    assert.deepEqual([parse(offSession).offSession, parse(offSession).paymentMethod], [true, 'pm_1']);
    assert.deepEqual(wrong({ offSession: true }), ['customer.stripeCustomerId', 'paymentMethod']);
    assert.deepEqual(wrong({ ...offSession, customer: { email: 'ada@example.com' } }), ['customer.stripeCustomerId']);
    assert.deepEqual(wrong({ ...offSession, saveCard: true }), ['saveCard']);
  });

  it('is not charged by a browser on its word whose it is', () => {
    assert.deepEqual(wrong({ ...known, paymentMethod: 'pm_1' }, BROWSER), ['customer.stripeCustomerId']);
    assert.deepEqual(wrong({ ...known, paymentMethod: 'pm_1', offSession: true }, BROWSER), ['customer.stripeCustomerId', 'offSession']);
  });

  it('belongs to a customer by an id of Stripe, and is asked for by true and false only', () => {
    for (const stripeCustomerId of ['', 'cus_', 'pm_1', 'cus_1/../x', 'cus_1\n', 7, ['cus_1']])
      assert.deepEqual(wrong({ customer: { stripeCustomerId } }), ['customer.stripeCustomerId'], JSON.stringify(stripeCustomerId));
    for (const flag of ['true', 1, 0, [], {}])
      assert.deepEqual(wrong({ saveCard: flag, offSession: flag }), ['saveCard', 'offSession'], JSON.stringify(flag));
  });
});
