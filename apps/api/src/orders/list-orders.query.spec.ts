import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type OrderFilter } from '#libs/orders';
import { DomainError, publicId } from '#libs/primitives';
import { parseListOrders } from './list-orders.query.js';

const UUID = '01890a5d-ac96-774b-bcce-b302099a8057';

function wrong(query: object): readonly string[] {
  try {
    parseListOrders(query);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    assert.equal(error.code, 'validation_failed');
    return [...new Set(error.errors.map(({ field }) => field))];
  }
  return [];
}

describe('the query of a list of orders', () => {
  it('is the newest ten when nothing is asked for', () => {
    const all: OrderFilter = { limit: 10, startingAfter: null, status: null, reference: null, createdFrom: null, createdTo: null };
    assert.deepEqual(parseListOrders({}), all);
  });

  it('is what is asked for', () => {
    assert.deepEqual(
      parseListOrders({
        limit: '100',
        startingAfter: publicId('ord', UUID),
        status: 'partially_refunded',
        reference: 'cart-4711',
        createdFrom: '2026-01-31T08:00:00Z',
        createdTo: '2026-01-31T09:00:00.5+01:00',
      }),
      {
        limit: 100,
        startingAfter: UUID,
        status: 'partially_refunded',
        reference: 'cart-4711',
        createdFrom: new Date('2026-01-31T08:00:00.000Z'),
        createdTo: new Date('2026-01-31T08:00:00.500Z'),
      },
    );
  });

  it('has a limit from 1 to 100', () => {
    for (let limit = 1; limit <= 100; limit += 1) assert.equal(parseListOrders({ limit: String(limit) }).limit, limit);
    for (const limit of ['0', '-1', '101', '1000000000', '1e2', '1.0', '01', ' 1', '1 ', '', 'ten', ['1', '2'], 7])
      assert.deepEqual(wrong({ limit }), ['limit'], JSON.stringify(limit));
  });

  it('goes on after an order, named by its id', () => {
    for (const startingAfter of [
      '',
      'ord_1',
      UUID,
      publicId('pay', UUID),
      `${publicId('ord', UUID)}0`,
      "ord_' OR 1=1 --",
      'x'.repeat(101),
      [publicId('ord', UUID)],
    ]) {
      assert.deepEqual(wrong({ startingAfter }), ['startingAfter'], JSON.stringify(startingAfter));
    }
  });

  it('names a status that an order can have', () => {
    const statuses =
      'pending processing requires_payment requires_action authorized paid partially_refunded refunded canceled expired failed'.split(' ');
    for (const status of statuses) assert.equal(parseListOrders({ status }).status, status);
    for (const status of ['', 'Paid', 'succeeded', 'toString', ['paid']])
      assert.deepEqual(wrong({ status }), ['status'], JSON.stringify(status));
  });

  it('names instants that are there, with their offset', () => {
    for (const instant of ['2026-01-31T08:00:00Z', '2024-02-29T23:59:59.999999999-23:59', '0100-01-01T00:00:00Z', '9999-12-31T23:59:59Z']) {
      const { createdFrom, createdTo } = parseListOrders({ createdFrom: instant, createdTo: instant });
      assert.deepEqual([createdFrom?.getTime(), createdTo?.getTime()], [Date.parse(instant), Date.parse(instant)]);
    }
    const odd = [
      '2026-01-31',
      '2026-01-31T08:00',
      '2026-01-31T08:00:00',
      '2026-01-31 08:00:00Z',
      '2026-W05',
      '2026-W05-6T08:00:00Z',
      '2026-031',
      '20260131T080000Z',
      '2026',
      '2026-02-29T08:00:00Z',
      '2026-02-30T08:00:00Z',
      '2026-13-01T08:00:00Z',
      '2026-00-01T08:00:00Z',
      '2026-01-31T24:00:00Z',
      '2026-01-31T08:60:00Z',
      '2026-01-31T08:00:00,5Z',
      '0000-01-01T00:00:00Z',
      '9999-12-31T23:59:59-01:00',
      '+012026-01-31T08:00:00Z',
      '2026-01-31T08:00:00+24:00',
      '2026-01-31T08:00:00+0100',
      '',
      'yesterday',
      '1769846400',
      "2026-01-31T08:00:00Z' --",
      ['2026-01-31T08:00:00Z'],
    ];
    for (const instant of odd)
      assert.deepEqual(wrong({ createdFrom: instant, createdTo: instant }), ['createdFrom', 'createdTo'], JSON.stringify(instant));
  });

  it('has a reference that an order can have', () => {
    for (const reference of ['', 'a\u0000', 'x'.repeat(201), ['a', 'b']]) assert.deepEqual(wrong({ reference }), ['reference']);
  });

  it('has nothing that is not known', () => {
    assert.deepEqual(wrong({ account: 'a1', 'created[gte]': '1' }), ['account', 'created[gte]']);
  });

  it('is taken as Fastify makes it, without a prototype', () => {
    assert.equal(parseListOrders(Object.assign(Object.create(null) as object, { limit: '5' })).limit, 5);
  });
});
