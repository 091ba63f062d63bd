import { newId } from '../core/ids.js';

/** Anything an event can be about. */
export interface EventSubject {
  readonly id: string;
  readonly object: string;
}

export interface StripeEvent {
  id: string;
  object: 'event';
  api_version: string;
  created: number;
  data: { object: EventSubject; previous_attributes?: Record<string, unknown> };
  livemode: false;
  pending_webhooks: number;
  request: { id: string | null; idempotency_key: string | null };
  type: string;
}

export interface NewEvent {
  type: string;
  subject: EventSubject;
  /** The version before an update: what differs is reported as `previous_attributes`. */
  previous?: EventSubject | undefined;
  at: number;
  request: StripeEvent['request'];
  apiVersion: string;
}

export function newEvent(from: NewEvent): StripeEvent {
  return {
    id: newId('evt'),
    object: 'event',
    api_version: from.apiVersion,
    created: from.at,
    data:
      from.previous === undefined
        ? { object: from.subject }
        : { object: from.subject, previous_attributes: changedAttributes(from.previous, from.subject) },
    livemode: false,
    pending_webhooks: 0,
    request: from.request,
    type: from.type,
  };
}

function changedAttributes(before: EventSubject, after: EventSubject): Record<string, unknown> {
  const now = new Map<string, unknown>(Object.entries(after));
  return Object.fromEntries(Object.entries(before).filter(([name, value]) => now.get(name) !== value));
}
