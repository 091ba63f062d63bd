/** What Stripe says about a payment. */
export interface PaymentState {
  /** Stripe's word for the intent. */
  readonly status: string;
  /** Why the last attempt failed, in words for the buyer. */
  readonly error: string | null;
  /** Where the buyer authenticates. */
  readonly redirectUrl: string | null;
}

/** Where the buyer's card goes: to Stripe alone, past the shop and its server. */
export interface Card {
  /** Shows the fields. */
  mount(into: HTMLElement, total: { amount: number; currency: string }): void;
  /** Says what is wrong with the fields; null when nothing is. */
  check(): Promise<string | null>;
  /** Pays the intent. May leave the page for an authentication, which comes back to `returnUrl`. */
  confirm(clientSecret: string, returnUrl: string): Promise<PaymentState>;
  /** How the intent stands. */
  look(clientSecret: string): Promise<PaymentState>;
}
