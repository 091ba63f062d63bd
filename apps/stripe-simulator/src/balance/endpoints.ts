import { type Call, endpoint, type Endpoint } from '../api/endpoint.js';
import { LIST_PARAMS, listPage, whereEquals } from '../http/lists.js';
import { string } from '../http/params.js';
import { missingResource } from '../http/stripe-error.js';
import type { BalanceTransaction } from './balance-transaction.js';

export const BALANCE_ENDPOINTS: readonly Endpoint[] = [
  endpoint({ method: 'GET', path: '/v1/balance', params: {}, run: balance }),
  endpoint({
    method: 'GET',
    path: '/v1/balance_transactions',
    params: { ...LIST_PARAMS, currency: string(), payout: string(), source: string(), type: string() },
    run(call, params) {
      const page = listPage({
        collection: call.account.all('balance_transactions'),
        params,
        url: '/v1/balance_transactions',
        kind: 'balance transaction',
        where: whereEquals<BalanceTransaction>('source', params.source),
        filter: (booking) =>
          (params.currency === undefined || booking.currency === params.currency) &&
          (params.source === undefined || booking.source === params.source) &&
          (params.type === undefined || booking.type === params.type) &&
          params.payout === undefined,
      });
      return { ...page, data: page.data.map((booking) => shownBooking(call, booking)) };
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/balance_transactions/:id',
    params: {},
    run(call, _, { id }) {
      const booking = call.account.find('balance_transactions', id);
      if (booking === undefined) throw missingResource('balance transaction', id, 'id');
      return shownBooking(call, booking);
    },
  }),
];

function shownBooking(call: Call, booking: BalanceTransaction): BalanceTransaction {
  return { ...booking, status: call.at >= booking.available_on ? 'available' : 'pending' };
}

function balance(call: Call): object {
  const sums = { available: new Map<string, number>(), pending: new Map<string, number>() };
  for (const booking of call.account.all('balance_transactions').oldestFirst()) {
    const sum = sums[shownBooking(call, booking).status];
    sum.set(booking.currency, (sum.get(booking.currency) ?? 0) + booking.net);
  }
  const listed = (sum: Map<string, number>): object[] => {
    const amounts = sum.size === 0 ? new Map([['usd', 0]]) : sum;
    return Array.from(amounts, ([currency, amount]) => ({ amount, currency, source_types: { card: amount } }));
  };
  return { object: 'balance', available: listed(sums.available), livemode: false, pending: listed(sums.pending) };
}
