import { Account, type AccountChange, accountIdOf } from './account.js';
import { newId } from './ids.js';
import { type EffectEntry, Journal, type RequestEntry } from './journal.js';
import { Schedule, type Task, type TaskKind } from './schedule.js';
import { type Keeper, StateFile } from './state-file.js';
import { VirtualClock } from './virtual-clock.js';
import type { StripeEvent } from '../events/event.js';

/** What the simulator is asked to be like, beyond Stripe's rules. */
export interface Temper {
  /** Every `/v1` answer takes at least this long. */
  latencyMs: number;
  /** Search sees an object only this long after it was made: Stripe's is not consistent either. */
  searchLagMs: number;
  /** The `type` beside code `idempotency_key_in_use`: reports differ on what Stripe sends. */
  keyInUseErrorType: 'idempotency_error' | 'invalid_request_error';
}

const DEFAULT_TEMPER: Temper = { latencyMs: 0, searchLagMs: 0, keyInUseErrorType: 'idempotency_error' };

/** An event that is to be told to an endpoint once the step that made it is committed. */
export interface Announcement {
  account: Account;
  event: StripeEvent;
  endpoint: string;
}

/** All state of one simulator: its accounts, its clock, what is due, and the journal of what happened. */
export class World {
  readonly clock = new VirtualClock();
  readonly journal = new Journal();
  readonly schedule = new Schedule();
  readonly temper: Temper = { ...DEFAULT_TEMPER };
  /** Filled while a step runs, emptied by the webhook delivery when it is committed. */
  readonly announcements: Announcement[] = [];
  /** Whether every account has the endpoint the simulator was started with. */
  readonly hasCommonEndpoint: boolean;
  readonly #accounts = new Map<string, Account>();
  readonly #file: StateFile | undefined;
  readonly #listeners: (() => void)[] = [];
  #latestAt = 0;

  constructor(options: { stateFile?: string | undefined; hasCommonEndpoint: boolean }) {
    const { stateFile } = options;
    this.hasCommonEndpoint = options.hasCommonEndpoint;
    if (stateFile !== undefined)
      this.#file = new StateFile(stateFile, [this.#clockKeeper(), this.#accountsKeeper(), this.schedule, this.journal]);
  }

  /** The account behind a key's name; it comes into being when first used. */
  account(name: string): Account {
    const id = accountIdOf(name);
    const known = this.#accounts.get(id);
    if (known !== undefined) return known;
    const account = new Account(name, (change) => this.#file?.record('account', change));
    this.#accounts.set(id, account);
    return account;
  }

  accountById(id: string): Account | undefined {
    return this.#accounts.get(id);
  }

  accounts(): Iterable<Account> {
    return this.#accounts.values();
  }

  /** Now, in seconds on the virtual clock. */
  now(): number {
    return this.moment(this.clock.nowMs());
  }

  /** The second at which something is said to happen. It never runs backwards: lists rely on newer objects being dated later. */
  moment(milliseconds: number): number {
    this.#latestAt = Math.max(this.#latestAt, Math.floor(milliseconds / 1000));
    return this.#latestAt;
  }

  journalEntry(account: Account | null, entry: RequestEntry | EffectEntry): void {
    const virtualAt = this.clock.nowMs();
    const stamped = this.journal.add(entry, { account: account?.id ?? null, at: virtualAt - this.clock.offsetMs, virtualAt });
    this.#file?.record(this.journal.topic, stamped);
  }

  plan(account: Account, kind: TaskKind, subject: string, dueAtMs: number, outcome: string | null = null): void {
    const task: Task = { id: newId('task'), account: account.id, kind, subject, outcome, dueAtMs };
    this.schedule.add(task);
    this.#file?.record(this.schedule.topic, { done: false, task });
  }

  takeDue(): Task | undefined {
    const task = this.schedule.takeDue(this.clock.nowMs());
    if (task !== undefined) this.#file?.record(this.schedule.topic, { done: true, task });
    return task;
  }

  advanceClock(milliseconds: number): void {
    this.clock.advance(milliseconds);
    this.#file?.record('clock', this.clock.offsetMs);
  }

  /** Ends a step: what it did is on disk when this returns, and whoever waits for changes hears of it. */
  commit(): void {
    this.#file?.commit();
    for (const listener of this.#listeners) listener();
  }

  onCommit(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Forgets one account, or everything. */
  reset(account?: Account): void {
    this.journal.clear(account?.id);
    this.schedule.clear(account?.id);
    if (account === undefined) {
      this.#accounts.clear();
      this.clock.reset();
      this.#latestAt = 0;
      Object.assign(this.temper, DEFAULT_TEMPER);
    } else {
      this.#accounts.delete(account.id);
    }
    this.#file?.rewrite();
  }

  close(): void {
    this.#file?.close();
  }

  #clockKeeper(): Keeper {
    const { clock } = this;
    return {
      topic: 'clock',
      restore: (change) => {
        clock.offsetMs = Number(change);
      },
      snapshot: () => [clock.offsetMs],
    };
  }

  *#snapshotAccounts(): Generator {
    for (const account of this.accounts()) yield* account.snapshot();
  }

  #accountsKeeper(): Keeper {
    return {
      topic: 'account',
      restore: (change) => {
        const accountChange = change as AccountChange;
        this.account(accountChange.name).restore(accountChange);
      },
      snapshot: () => this.#snapshotAccounts(),
    };
  }
}
