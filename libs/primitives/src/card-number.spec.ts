import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { holdsCardNumber, maskCardNumbers } from './card-number.js';

/** Stripe's test numbers of every length. Source: docs.stripe.com/testing. */
const NUMBERS = ['4242424242424242', '378282246310005', '30569309025904', '6011111111111117', '3566002020360505', '6205500000000000004'];

describe('a card number', () => {
  it('is found bare, grouped and within a text', () => {
    for (const number of [...NUMBERS, '4222222222222']) {
      for (const written of [
        number,
        `card: ${number}.`,
        `(${number})`,
        `"${number}"`,
        number.replaceAll(/(\d{4})(?=\d)/g, '$1 '),
        number.replaceAll(/(\d{4})(?=\d)/g, '$1-'),
        `12 ${number} 12/30`,
        number.replaceAll(/\d/g, (digit) => String.fromCodePoint(Number(digit) + 0xff10)),
      ])
        assert.ok(holdsCardNumber(written), written);
    }
  });

  it('is told from other numbers', () => {
    for (const text of [
      '4242424242424241',
      '424242424242',
      '42424242424242424242',
      '0000000000000000',
      'pm_4242424242424242',
      '4242424242424242x',
      '2026-11-23T22:10:22.123Z',
      '+49 170 1234567',
      '00000000-0000-7000-8000-000000000008',
      '6f2b9c1d-3e4a-4b5c-4242-424242424242@example.com',
      '127.0.0.1:54321',
      '',
    ])
      assert.ok(!holdsCardNumber(text), text);
  });

  it('is masked, all of them and nothing else', () => {
    assert.equal(
      maskCardNumbers('{"a":"4242 4242 4242 4242","b":[378282246310005],"c":17}'),
      '{"a":"[card number]","b":[[card number]],"c":17}',
    );
    assert.equal(maskCardNumbers('4242424242424242 4242424242424242'), '[card number] [card number]');
  });

  it('has the right check digit, which one of ten has', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[1-9][0-9]{11,17}$/), (start) => {
        const found = Array.from('0123456789').filter((digit) => holdsCardNumber(start + digit));
        assert.equal(found.length, 1);
      }),
    );
  });

  it('is looked for in any number of groups', () => {
    assert.equal(maskCardNumbers(`${'0 '.repeat(100_000)}4242424242424242`), `${'0 '.repeat(100_000)}[card number]`);
  });
});
