/**
 * Runs `turn` again and again: at once while it says that there is more, else when woken or after `restMs`. A turn that
 * throws is reported and tried again after the rest.
 */
export class Loop {
  #stopped = false;
  #woken = false;
  #turnedAt = performance.now();
  #wake: (() => void) | null = null;
  readonly #stopHooks: (() => Promise<void>)[] = [];
  readonly #ended: Promise<void>;

  constructor(
    private readonly restMs: number,
    private readonly turn: () => Promise<boolean>,
    private readonly onError: (error: unknown) => void,
  ) {
    this.#ended = this.#run();
  }

  /** Ends the rest now; during a turn, the next one follows at once. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** Whether a turn, good or bad, has ended within this time, or none is wanted any more. */
  isTurning(withinMs: number): boolean {
    return this.#stopped || performance.now() - this.#turnedAt <= withinMs;
  }

  /** Registers what must be closed when the loop stops. */
  onStop(hook: () => Promise<void>): void {
    this.#stopHooks.push(hook);
  }

  /** Lets the turn under way finish and no other begin. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.wake();
    await this.#ended;
    await Promise.all(this.#stopHooks.map((hook) => hook()));
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#woken = false;
      const hasMore = await this.turn().catch((error: unknown) => {
        this.onError(error);
        return false;
      });
      this.#turnedAt = performance.now();
      if (!hasMore && !this.#woken && !this.#stopped) await this.#rest();
    }
  }

  #rest(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.restMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
