/** What of Stripe an event speaks of, where it has an effect on us. */
export type EventSubject = 'intent' | 'session' | 'refund' | 'dispute';

/**
 * Every event type that has an effect. All others are stored as `ignored`, without a job. An endpoint at Stripe should be
 * subscribed to exactly these. Source: docs.stripe.com/api/events/types.
 */
const EVENT_EFFECTS: Readonly<Record<string, EventSubject>> = {
  'payment_intent.requires_action': 'intent',
  'payment_intent.processing': 'intent',
  'payment_intent.amount_capturable_updated': 'intent',
  'payment_intent.partially_funded': 'intent',
  'payment_intent.succeeded': 'intent',
  'payment_intent.payment_failed': 'intent',
  'payment_intent.canceled': 'intent',
  'checkout.session.completed': 'session',
  'checkout.session.async_payment_succeeded': 'session',
  'checkout.session.async_payment_failed': 'session',
  'checkout.session.expired': 'session',
  'refund.created': 'refund',
  'refund.updated': 'refund',
  'refund.failed': 'refund',
  'charge.refund.updated': 'refund',
  'charge.dispute.created': 'dispute',
  'charge.dispute.updated': 'dispute',
  'charge.dispute.funds_withdrawn': 'dispute',
  'charge.dispute.funds_reinstated': 'dispute',
  'charge.dispute.closed': 'dispute',
};

/** What an event of this type speaks of; null when it has no effect. */
export function subjectOf(type: string): EventSubject | null {
  return Object.hasOwn(EVENT_EFFECTS, type) ? (EVENT_EFFECTS[type] ?? null) : null;
}
