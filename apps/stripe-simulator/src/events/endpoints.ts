import type { Account } from '../core/account.js';
import { type Call, endpoint, type Endpoint } from '../api/endpoint.js';
import { LIST_PARAMS, listPage } from '../http/lists.js';
import { boolean, list, string } from '../http/params.js';
import { invalidRequest, missingResource } from '../http/stripe-error.js';
import { deliveriesOf } from './emit.js';
import type { StripeEvent } from './event.js';

/** Stripe answers for events this long. Source: https://docs.stripe.com/api/events/list */
const RETENTION_SECONDS = 30 * 24 * 3600;

export const EVENT_ENDPOINTS: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/v1/events',
    params: { ...LIST_PARAMS, delivery_success: boolean(), type: string(), types: list(string()) },
    run(call, params) {
      if (params.type !== undefined && params.types !== undefined) {
        throw invalidRequest('You may only specify one of these parameters: type, types.', { param: 'types' });
      }
      const wanted = params.types ?? (params.type === undefined ? undefined : [params.type]);
      const oldest = call.at - RETENTION_SECONDS;
      const page = listPage({
        collection: call.account.all('events'),
        params: { ...params, created: { ...params.created, gte: Math.max(params.created?.gte ?? oldest, oldest) } },
        url: '/v1/events',
        kind: 'event',
        filter: (event) =>
          (wanted === undefined || wanted.some((pattern) => typeMatches(pattern, event.type))) &&
          (params.delivery_success === undefined || delivered(call.account, event) === params.delivery_success),
      });
      return { ...page, data: page.data.map((event) => shownEvent(call.account, event)) };
    },
  }),
  endpoint({ method: 'GET', path: '/v1/events/:id', params: {}, run: (call, _, { id }) => shownEvent(call.account, existing(call, id)) }),
];

/** The event with the number of endpoints that still wait for it. */
export function shownEvent(account: Account, event: StripeEvent): StripeEvent {
  return { ...event, pending_webhooks: deliveriesOf(account, event).filter(({ state }) => state === 'pending').length };
}

function existing(call: Call, id: string): StripeEvent {
  const event = call.account.find('events', id);
  if (event === undefined || event.created < call.at - RETENTION_SECONDS) throw missingResource('event', id, 'id');
  return event;
}

function delivered(account: Account, event: StripeEvent): boolean {
  return deliveriesOf(account, event).every(({ state }) => state === 'delivered');
}

/** `charge.*` stands for every type that begins so. */
function typeMatches(pattern: string, type: string): boolean {
  return pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : pattern === type;
}
