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

/** The differences a report lists: enough to see what is wrong, few enough for one row. */
const DIFFERENCES_MAX = 200;

/** What became of one comparison, as the report counts it. */
export type Outcome = 'equal' | 'repaired' | 'discrepancies' | 'missingHere' | 'missingAtStripe' | 'orphans' | 'unsettled';

/** A report while it is written. */
export class ReportDraft {
  readonly #counts: Record<Outcome, number> = {
    equal: 0,
    repaired: 0,
    discrepancies: 0,
    missingHere: 0,
    missingAtStripe: 0,
    orphans: 0,
    unsettled: 0,
  };
  readonly #differences: Difference[] = [];
  #omitted = 0;

  constructor(private readonly since: Date) {}

  /** Counts one comparison; where the two differ, with both values. */
  count(outcome: Outcome, difference: Difference | null = null): void {
    this.#counts[outcome] += 1;
    if (difference === null) return;
    if (this.#differences.length < DIFFERENCES_MAX) this.#differences.push(difference);
    else this.#omitted += 1;
  }

  /** The report as it stands. */
  report(error: string | null = null): ReconciliationReport {
    const compared = Object.values(this.#counts).reduce((sum, count) => sum + count, 0);
    return {
      since: this.since.toISOString(),
      compared,
      ...this.#counts,
      differences: [...this.#differences],
      differencesOmitted: this.#omitted,
      error,
    };
  }
}
