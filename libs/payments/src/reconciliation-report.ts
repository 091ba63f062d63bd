/** What was done about a difference. none: a dry run, or one that an operation under way will settle. */
export type Remedy = 'repaired' | 'noted' | 'orphan_canceled' | 'none';

/** One difference between Stripe and us, with both values; null where that side has nothing. */
export interface Difference {
  /** Why the two differ: `behind`, `missing_here`, `missing_at_stripe`, `orphan`, or the kind of a discrepancy. */
  readonly kind: string;
  readonly object: 'payment' | 'refund';
  readonly stripeObjectId: string;
  /** The public id of our order, where we have one. */
  readonly order: string | null;
  readonly ours: Readonly<Record<string, unknown>> | null;
  readonly stripes: Readonly<Record<string, unknown>> | null;
  readonly remedy: Remedy;
}

/** What a reconciliation found: compared = equal + repaired + discrepancies + missingHere + missingAtStripe + orphans + unsettled. */
export interface ReconciliationReport {
  /** From when on Stripe's own lists were read, for what we have no row of. RFC 3339. */
  readonly since: string;
  readonly compared: number;
  readonly equal: number;
  /** Behind Stripe, and brought up to it; in a dry run: would be. */
  readonly repaired: number;
  /** Contradictions that no rule may repair: a person decides. */
  readonly discrepancies: number;
  readonly missingHere: number;
  readonly missingAtStripe: number;
  /** Intents that an earlier generation of a create left behind, unconfirmed: canceled; in a dry run: would be. */
  readonly orphans: number;
  /** Moving while they were compared: whatever moves them writes down how they end. */
  readonly unsettled: number;
  /** The first of the differences. */
  readonly differences: readonly Difference[];
  /** How many differences there were that are not listed. */
  readonly differencesOmitted: number;
  /** Why the last attempt came to nothing; null on a reconciliation that goes well. */
  readonly error: string | null;
}
