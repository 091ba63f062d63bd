import { type History } from '../history.js';

/** An order as the dump of the database has it, with its payment. Ids are in their public form. */
export interface OrderRow {
  readonly id: string;
  readonly account: string;
  readonly status: string;
  readonly amount: number;
  readonly currency: string;
  readonly captured: number;
  readonly refunded: number;
  readonly refundPending: number;
  readonly checkout: string;
  readonly payment: string;
  readonly intent: string | null;
  readonly session: string | null;
  readonly customer: string | null;
  /** null: none. */
  readonly dispute: string | null;
  readonly disputeStatus: string | null;
  readonly disputeAmount: number | null;
  readonly disputeReason: string | null;
}

export interface OperationRow {
  readonly id: string;
  readonly order: string;
  readonly kind: string;
  readonly orderedBy: string;
  readonly status: string;
  readonly generation: number;
}

export interface RefundRow {
  readonly id: string;
  readonly order: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: string;
  readonly stripeId: string | null;
}

export interface TimelineRow {
  readonly order: string;
  readonly type: string;
  readonly cause: string;
  readonly from: string | null;
  readonly to: string | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Of lines about a refund. */
  readonly refund: string | null;
  readonly amount: number | null;
}

export interface KeyRow {
  readonly account: string;
  readonly audience: string;
  readonly key: string;
  readonly status: number;
  readonly location: string | null;
  /** SHA-256 of the stored body, in hex; null once it was forgotten. */
  readonly digest: string | null;
}

export interface EventRow {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly livemode: boolean;
}

/** The database, read table by table. */
export interface Dump {
  readonly orders: readonly OrderRow[];
  readonly operations: readonly OperationRow[];
  readonly refunds: readonly RefundRow[];
  readonly timeline: readonly TimelineRow[];
  readonly keys: readonly KeyRow[];
  readonly events: readonly EventRow[];
  readonly outbox: readonly { readonly id: string; readonly text: string }[];
  readonly discrepancies: readonly string[];
}

export interface StripeIntent {
  readonly id: string;
  readonly status: string;
  readonly amount: number;
  readonly currency: string;
  readonly amount_received: number;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface StripeRefund {
  readonly id: string;
  readonly status: string | null;
  readonly amount: number;
  readonly currency: string;
  readonly payment_intent: string | null;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface StripeDispute {
  readonly id: string;
  readonly status: string;
  readonly amount: number;
  readonly reason: string;
  readonly payment_intent: string | null;
}

export interface StripeCustomer {
  readonly id: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface StripeSession {
  readonly id: string;
  readonly status: string;
  readonly payment_intent: string | null;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface StripeEvent {
  readonly id: string;
  readonly type: string;
  readonly livemode: boolean;
  /** How many endpoints have not yet taken it. */
  readonly pending_webhooks: number;
}

/** What the simulator says of itself. */
export interface StripeRecord {
  readonly intents: readonly StripeIntent[];
  readonly refunds: readonly StripeRefund[];
  readonly sessions: readonly StripeSession[];
  readonly disputes: readonly StripeDispute[];
  readonly customers: readonly StripeCustomer[];
  readonly events: readonly StripeEvent[];
  /** Ids of the events that our endpoint took. */
  readonly delivered: ReadonlySet<string>;
}

/** A line of the simulator's journal, as far as the rules speak of it. */
export type JournalEntry =
  | {
      readonly kind: 'request';
      readonly method: string;
      readonly path: string;
      readonly idempotencyKey: string | null;
      readonly status: number | null;
      readonly executed: boolean;
      readonly fault: { readonly action: string; readonly phase: string } | null;
    }
  | {
      readonly kind: 'effect';
      readonly type: string;
      readonly amount: number;
      readonly currency: string;
      readonly paymentIntent: string | null;
      readonly refund: string | null;
    };

/** A text that was read for secrets: how much of it, and what was found. */
export interface Scan {
  readonly what: string;
  readonly lines: number;
  readonly found: readonly string[];
}

/** Everything the oracle knows. Nothing in it comes from code of the application. */
export interface Evidence {
  readonly history: History;
  readonly journal: readonly JournalEntry[];
  readonly stripe: StripeRecord;
  readonly dump: Dump;
  readonly scans: readonly Scan[];
  /** Messages that were seen in the outbox while the storm went on. */
  readonly waiting: ReadonlySet<string>;
  /** Deaths nobody caused, polite stops that ended badly, commands nobody answered. */
  readonly failures: readonly string[];
  /** How many times were measured, and what took too long. */
  readonly times: { readonly measured: number; readonly late: readonly string[] };
}

/** What the metadata of a refund carries, and its key begins with, that nobody here ordered: a person made it in Stripe's dashboard. */
export const ELSEWHERE = 'made_elsewhere';

/** What a check looked at and what it found wrong. */
export interface Verdict {
  readonly rule: string;
  readonly says: string;
  /** How many facts were compared: a check of nothing proves nothing. */
  readonly facts: number;
  readonly violations: readonly string[];
}

/** Collects what one check finds. */
export class Check {
  facts = 0;
  readonly violations: string[] = [];

  constructor(
    private readonly rule: string,
    private readonly says: string,
  ) {}

  /** One fact: `isSo`, or else the complaint. */
  that(isSo: boolean, complaint: () => string): void {
    this.facts += 1;
    if (!isSo) this.violations.push(complaint());
  }

  verdict(): Verdict {
    const { rule, says, facts, violations } = this;
    return { rule, says, facts, violations };
  }
}

/** Groups by a key. */
export function grouped<T>(items: Iterable<T>, keyOf: (item: T) => string | null): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === null) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
