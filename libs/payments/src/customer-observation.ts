/** What Stripe said of a Customer. */
export interface CustomerObservation {
  readonly id: string;
  /** Our metadata; null on a customer that is not of our making. */
  readonly operationId: string | null;
}
