import type { Keeper } from './state-file.js';

/** What was asked of the simulator over `/v1`, and how it was answered. */
export interface RequestEntry {
  kind: 'request';
  method: string;
  path: string;
  requestId: string;
  idempotencyKey: string | null;
  /** The answer's status, or null when no whole answer left (hang, reset, cut). */
  status: number | null;
  errorCode: string | null;
  /** The id of the object answered, if it was one. */
  object: string | null;
  /** Whether the handler ran: false for replays, refusals before execution and faults before the effect. */
  executed: boolean;
  replayOf: string | null;
  fault: { id: string; action: string; phase: string } | null;
}

export type EffectType =
  | 'authorized'
  | 'captured'
  | 'released'
  | 'declined'
  | 'debit_pending'
  | 'debit_failed'
  | 'refund_pending'
  | 'refunded'
  | 'refund_failed'
  | 'refund_canceled'
  | 'dispute_withdrawn'
  | 'dispute_reinstated';

/** One movement (or refused movement) of money: the ground truth that tests compare with. */
export interface EffectEntry {
  kind: 'effect';
  type: EffectType;
  amount: number;
  currency: string;
  paymentIntent: string | null;
  charge: string | null;
  refund: string | null;
  /** Which request or other cause moved it. */
  requestId: string | null;
  idempotencyKey: string | null;
  origin: 'api' | 'clock' | 'control' | 'page';
}

export interface Stamp {
  seq: number;
  account: string | null;
  /** Wall time, milliseconds since the epoch. */
  at: number;
  /** The same instant on the virtual clock. */
  virtualAt: number;
}

export type JournalEntry = (RequestEntry | EffectEntry) & Stamp;

export interface JournalFilter {
  account?: string | undefined;
  kind?: string | undefined;
  idempotencyKey?: string | undefined;
  paymentIntent?: string | undefined;
  afterSeq?: number | undefined;
  limit?: number | undefined;
}

/** Every request and every effect, in order. */
export class Journal implements Keeper {
  readonly topic = 'journal';
  #entries: JournalEntry[] = [];
  #lastSeq = 0;

  add(entry: RequestEntry | EffectEntry, stamp: Omit<Stamp, 'seq'>): JournalEntry {
    const stamped: JournalEntry = { seq: ++this.#lastSeq, ...stamp, ...entry };
    this.#entries.push(stamped);
    return stamped;
  }

  select(filter: JournalFilter): JournalEntry[] {
    const found: JournalEntry[] = [];
    for (const entry of this.#entries) {
      if (filter.afterSeq !== undefined && entry.seq <= filter.afterSeq) continue;
      if (filter.account !== undefined && entry.account !== filter.account) continue;
      if (filter.kind !== undefined && entry.kind !== filter.kind) continue;
      if (filter.idempotencyKey !== undefined && entry.idempotencyKey !== filter.idempotencyKey) continue;
      if (filter.paymentIntent !== undefined && !concerns(entry, filter.paymentIntent)) continue;
      found.push(entry);
      if (found.length === filter.limit) break;
    }
    return found;
  }

  clear(account?: string): void {
    this.#entries = account === undefined ? [] : this.#entries.filter((entry) => entry.account !== account);
  }

  restore(change: unknown): void {
    const entry = change as JournalEntry;
    this.#entries.push(entry);
    this.#lastSeq = Math.max(this.#lastSeq, entry.seq);
  }

  snapshot(): Iterable<unknown> {
    return this.#entries;
  }
}

function concerns(entry: JournalEntry, paymentIntent: string): boolean {
  if (entry.kind === 'effect') return entry.paymentIntent === paymentIntent;
  return entry.object === paymentIntent || entry.path.includes(paymentIntent);
}
