import { isDatabaseUnavailable } from '#libs/database';
import { type FailureKind, StripeFailure } from './stripe/stripe-failure.js';

/** Stripe has looked at what it was asked and refused it: the same question has the same answer for ever. */
const REFUSALS: ReadonlySet<FailureKind> = new Set(['bug', 'rejected', 'declined']);

/**
 * Whether a failure says nothing of the work that met it: Stripe or the database could not be reached, or let nobody in. It passes
 * by itself, so that the work may meet it any number of times; any other comes again.
 */
export function isPassing(error: unknown): boolean {
  return error instanceof StripeFailure ? !REFUSALS.has(error.kind) : isDatabaseUnavailable(error);
}
