import type { Act } from '../core/act.js';
import type { Account } from '../core/account.js';
import { COMMON_ENDPOINT, type Delivery } from '../webhooks/delivery.js';
import type { WebhookEndpoint } from '../webhooks/webhook-endpoint.js';
import { type EventSubject, newEvent, type StripeEvent } from './event.js';

/** The version every answer and event is shaped like. */
export const API_VERSION = '2026-10-28.endive';

/** Records that something happened, and that every endpoint listening for it is to be told. */
export function emit(act: Act, type: string, subject: EventSubject, previous?: EventSubject): StripeEvent {
  const { account, cause } = act;
  const request = { id: cause.requestId, idempotency_key: cause.idempotencyKey };
  const event = newEvent({ type, subject, previous, at: act.at, request, apiVersion: API_VERSION });
  account.save('events', event);
  for (const endpoint of listeners(act, type)) {
    account.save('deliveries', newDelivery(event, endpoint));
    act.world.announcements.push({ account, event, endpoint });
  }
  return event;
}

function listeners(act: Act, type: string): string[] {
  const ids: string[] = act.world.hasCommonEndpoint ? [COMMON_ENDPOINT] : [];
  for (const endpoint of act.account.all('webhook_endpoints').oldestFirst()) {
    if (endpoint.status === 'enabled' && listensFor(endpoint, type)) ids.push(endpoint.id);
  }
  return ids;
}

function listensFor(endpoint: WebhookEndpoint, type: string): boolean {
  return endpoint.enabled_events.some((pattern) => pattern === '*' || pattern === type);
}

export function deliveriesOf(account: Account, event: StripeEvent): Delivery[] {
  const endpoints = [COMMON_ENDPOINT, ...Array.from(account.all('webhook_endpoints').oldestFirst(), ({ id }) => id)];
  return endpoints.flatMap((endpoint) => account.find('deliveries', deliveryId(event.id, endpoint)) ?? []);
}

export function deliveryId(event: string, endpoint: string): string {
  return `${event}/${endpoint}`;
}

function newDelivery(event: StripeEvent, endpoint: string): Delivery {
  return { id: deliveryId(event.id, endpoint), created: event.created, event: event.id, endpoint, state: 'pending', attempts: 0 };
}
