import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROCESS_FAULTS, type Fault, type Scene } from './process-faults.js';
import { type StripeFaults } from './stripe-faults.js';
import { type Tally } from './tally.js';
import { WAY_FAULTS } from './way-faults.js';

/** Between two faults of a kind, on average. */
export interface Pace {
  readonly processMs: number;
  readonly wayMs: number;
  readonly stripeMs: number;
}

export const USUAL_PACE: Pace = { processMs: 5_000, wayMs: 2_000, stripeMs: 1_500 };
/** For long storms with many orders: what is started anew and queued again takes a machine's time from them. */
export const CALM_PACE: Pace = { processMs: 10_000, wayMs: 4_000, stripeMs: 3_000 };
/** For storms of half a minute. */
export const DENSE_PACE: Pace = { processMs: 2_000, wayMs: 1_500, stripeMs: 350 };

/** Strikes faults at random, several at once but never two on one thing, until it is stopped. */
export class Chaos {
  readonly #underWay = new Set<Promise<void>>();
  readonly #ended: Promise<unknown>;
  #isOver = false;
  readonly errors: string[] = [];

  constructor(
    private readonly scene: Scene,
    private readonly stripe: StripeFaults,
    private readonly tally: Tally,
    pace: Pace,
    /** Each fault with its beginning and end is written here, to be held beside the logs. */
    private readonly chronicle: string,
  ) {
    this.#ended = Promise.all([
      this.#repeat(pace.processMs, () => this.#strikeOne(PROCESS_FAULTS)),
      this.#repeat(pace.wayMs, () => this.#strikeOne(WAY_FAULTS)),
      this.#repeat(pace.stripeMs, () => this.stripe.set()),
    ]);
  }

  /** Starts no more faults and waits until all there are have mended what they broke. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#ended;
    await Promise.all(this.#underWay);
  }

  async #repeat(meanMs: number, act: () => Promise<void> | void): Promise<void> {
    const { chance } = this.scene;
    while (!this.#isOver) {
      await sleep(meanMs * (0.4 + 1.2 * chance.next()));
      if (!this.#isOver) await act();
    }
  }

  #strikeOne(faults: readonly Fault[]): void {
    const { scene } = this;
    const fault = scene.chance.weighted(faults.filter(({ isPossible }) => isPossible === undefined || isPossible(scene)));
    const on = fault.on(scene);
    if (this.scene.busy.has(on)) return;
    this.scene.busy.add(on);
    const beganAt = new Date().toISOString();
    const striking = fault
      .strike(scene, on)
      .then(
        () => this.tally.add(fault.name),
        // A fault that finds its target broken by another has nothing to break.
        (error: unknown) => void this.errors.push(`${fault.name}: ${error instanceof Error ? error.message : String(error)}`),
      )
      .finally(() => {
        appendFileSync(this.chronicle, `${beganAt} to ${new Date().toISOString()}  ${fault.name} (${on})\n`);
        this.scene.busy.delete(on);
        this.#underWay.delete(striking);
      });
    this.#underWay.add(striking);
  }
}
