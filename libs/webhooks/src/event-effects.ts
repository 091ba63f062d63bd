/** What of Stripe an event speaks of, where it has an effect on us. */
export type EventSubject = 'payment_intent';

/**
 * Every event type that has an effect. All others are stored as `ignored`, without a job. An endpoint at Stripe should be
 * subscribed to exactly these. Source: docs.stripe.com/api/events/types.
 */
export const EVENT_EFFECTS: Readonly<Record<string, EventSubject>> = {
  'payment_intent.requires_action': 'payment_intent',
  'payment_intent.processing': 'payment_intent',
  'payment_intent.amount_capturable_updated': 'payment_intent',
  'payment_intent.partially_funded': 'payment_intent',
  'payment_intent.succeeded': 'payment_intent',
  'payment_intent.payment_failed': 'payment_intent',
  'payment_intent.canceled': 'payment_intent',
};

/** What an event of this type speaks of; null when it has no effect. */
export function subjectOf(type: string): EventSubject | null {
  return Object.hasOwn(EVENT_EFFECTS, type) ? (EVENT_EFFECTS[type] ?? null) : null;
}
