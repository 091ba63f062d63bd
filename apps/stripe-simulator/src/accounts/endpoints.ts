import { type Call, endpoint, type Endpoint } from '../api/endpoint.js';
import { missingResource } from '../http/stripe-error.js';

export const ACCOUNT_ENDPOINTS: readonly Endpoint[] = [
  endpoint({ method: 'GET', path: '/v1/account', params: {}, run: (call) => ownAccount(call) }),
  endpoint({
    method: 'GET',
    path: '/v1/accounts/:id',
    params: {},
    run(call, _, { id }) {
      if (id !== call.account.id) throw missingResource('account', id, 'account');
      return ownAccount(call);
    },
  }),
];

function ownAccount({ account }: Call): object {
  return {
    id: account.id,
    object: 'account',
    business_type: 'company',
    charges_enabled: true,
    country: 'US',
    default_currency: 'usd',
    details_submitted: true,
    email: null,
    metadata: {},
    payouts_enabled: true,
    type: 'standard',
  };
}
