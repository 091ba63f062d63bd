/**
 * The simulator's time: the wall clock plus an offset that only grows.
 *
 * Everything Stripe dates or lets lapse (objects, idempotency keys, authorizations, sessions, events) is read from here;
 * webhook signatures are not, because their receiver compares them with real time.
 */
export class VirtualClock {
  #offsetMs = 0;
  #latestMs = 0;

  get offsetMs(): number {
    return this.#offsetMs;
  }

  set offsetMs(offsetMs: number) {
    this.#offsetMs = offsetMs;
  }

  /** Milliseconds since the epoch. Never less than an answer given before, so newer objects never look older. */
  nowMs(): number {
    this.#latestMs = Math.max(this.#latestMs, Date.now() + this.#offsetMs);
    return this.#latestMs;
  }

  advance(milliseconds: number): void {
    this.#offsetMs += milliseconds;
  }

  reset(): void {
    this.#offsetMs = 0;
    this.#latestMs = 0;
  }
}
