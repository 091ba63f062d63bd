import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Buyers } from './buyers.js';
import { Chance } from './chance.js';
import { Chaos, type Pace } from './chaos.js';
import { Client } from './client.js';
import { type Bounds, boundsFor, converge, type Convergence, lateness } from './convergence.js';
import { ERRANDS } from './errands.js';
import { type Backend, type Fleet, startFleet } from './fleet.js';
import { acknowledged, History } from './history.js';
import { type Dump, type Evidence, type Verdict } from './oracle/evidence.js';
import { judge } from './oracle/oracle.js';
import { readJournal } from './oracle/read-stripe.js';
import { scanTexts } from './oracle/scan-texts.js';
import { probe } from './probe.js';
import { Samples } from './samples.js';
import { StripeFaults } from './stripe-faults.js';
import { TakeoverWatch } from './takeover-watch.js';
import { Tally } from './tally.js';

/** Orders a second, unless somebody asks for others. */
export const USUAL_ORDERS_PER_SECOND = 22;

export interface StormOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly backend: Backend;
  /** Where logs, databases and the simulator's state are; removed afterwards unless something is wrong. */
  readonly folder: string;
  readonly root: string;
  readonly sql: string | null;
  readonly ordersPerSecond: number;
  readonly pace: Pace;
  /** Told what is going on. */
  readonly onProgress: (state: () => string) => void;
}

/** What a storm has shown. */
export interface StormResult {
  readonly verdicts: readonly Verdict[];
  readonly faults: Tally;
  readonly orders: number;
  readonly requests: number;
  readonly takeovers: { readonly aloneMs: readonly number[]; readonly amidMs: readonly number[] };
  readonly convergence: Convergence;
  readonly bounds: Bounds;
  /** What an order takes that nothing disturbs: before the storm, at the healing behind all that was left to do, and when nothing was. */
  readonly orderMs: { readonly before: number | null; readonly healing: number | null; readonly after: number | null };
  /** Faults that could not strike as they should. */
  readonly notes: readonly string[];
}

/** More buyers at once than this wait outside. */
const BUYERS_MAX = 400;
/**
 * No buyer comes in while more than this is left to do: a machine slower than its buyers would only be tested for its speed. And whenever the
 * breaker closes, all that it held back is queued at once: a crowd that is queued and held back again every few seconds is no traffic.
 */
const LEFT_TO_DO_MAX = 300;
/** In the last seconds less of both, so that the healing is judged, and not how long a slow machine works off what it was given. */
const LEFT_TO_DO_MAX_AT_THE_END = 100;
const BUYERS_MAX_AT_THE_END = 100;
const END_MS = 20_000;
const LOOK_EVERY_MS = 500;
/** Orders that nothing disturbs: before the storm, at the healing, and when all is done. */
const PROBES = 3;
/** How many commands that were acknowledged or refused for good are sent once more at the end. */
const REPEATED_AT_THE_END = 500;
/** After the healing a command is answered within this, or counts as never answered. */
const LAST_ANSWERS_MS = 120_000;

/** Runs one storm: orders under faults, then healing, convergence, and the oracle. */
export async function runStorm(options: StormOptions): Promise<StormResult> {
  const fleet = await startFleet({ ...options, folder: join(options.folder, 'fleet') });
  try {
    return await new Storm(options, fleet).run();
  } finally {
    await fleet.stop();
  }
}

/** Removes what a storm has left behind. */
export function forget({ folder }: Pick<StormOptions, 'folder'>): void {
  rmSync(folder, { recursive: true, force: true });
}

class Storm {
  readonly #history = new History();
  readonly #faults = new Tally();
  readonly #busy = new Set<string>();
  readonly #failures: string[] = [];
  readonly #samples = new Samples();
  readonly #takeovers: TakeoverWatch;
  readonly #client: Client;
  readonly #buyers: Buyers;
  readonly #stripeFaults: StripeFaults;
  readonly #chance: Chance;
  readonly #inside = new Set<Promise<void>>();
  #isOver = false;
  #left = 0;
  #phase = 'starting';

  constructor(
    private readonly options: StormOptions,
    private readonly fleet: Fleet,
  ) {
    this.#chance = new Chance(options.seed);
    // One thing is disturbed anyway: the worker that was killed.
    this.#takeovers = new TakeoverWatch(fleet.postgres, () => this.#busy.size > 1);
    this.#client = new Client(fleet.door.url, this.#history, this.#chance.fork());
    this.#buyers = new Buyers(this.#client, this.#chance.fork(), this.#history, fleet.simulatorUrl, () => this.#isOver);
    this.#stripeFaults = new StripeFaults(fleet.simulatorUrl, this.#chance.fork(), this.#faults);
  }

  async run(): Promise<StormResult> {
    const { fleet, options } = this;
    options.onProgress(() => this.#state());
    await this.#buyers.fillCatalogue();
    const before = await probe(this.#buyers);
    this.#phase = 'storm';
    const scene = { fleet, chance: this.#chance.fork(), takeovers: this.#takeovers, busy: this.#busy };
    const chaos = new Chaos(scene, this.#stripeFaults, this.#faults, options.pace, join(options.folder, 'faults.log'));
    await this.#letBuyersIn(Date.now() + options.minutes * 60_000);
    this.#phase = 'healing';
    await chaos.stop();
    await this.#heal();
    const healedAt = Date.now();
    this.#phase = 'last answers';
    this.#client.gaveUpAfter = healedAt + LAST_ANSWERS_MS;
    const atHealing = probe(this.#buyers);
    await Promise.all(this.#inside);
    this.#phase = 'converging';
    const [convergence, healing] = await Promise.all([converge(fleet, healedAt, Date.now()), atHealing]);
    const after = await probe(this.#buyers);
    const bounds = boundsFor(Math.max(before ?? 0, after ?? 0));
    const late = lateness(convergence, bounds);
    // What the last order has left to do.
    const { dump, stripe } = await converge(fleet, healedAt, Date.now());
    this.#phase = 'repeating commands';
    await this.#repeatCommands(dump);
    this.#phase = 'judging';
    if ([before, healing, after].includes(null)) this.#failures.push('an order that nothing disturbed was not paid');
    const measured = convergence.timesMs.length + PROBES;
    const verdicts = await this.#judge({ dump, stripe, times: { measured, late } });
    return {
      verdicts,
      faults: this.#faults,
      orders: this.#history.orders.size,
      requests: this.#history.commands.reduce((sum, { attempts, otherRequests }) => sum + attempts.length + otherRequests.length, 0),
      takeovers: this.#takeovers,
      convergence,
      bounds,
      orderMs: { before, healing, after },
      notes: chaos.errors,
    };
  }

  /** Buyers come at their rate whatever happens, as long as there is room. */
  async #letBuyersIn(until: number): Promise<void> {
    const chance = this.#chance.fork();
    const betweenMs = 1_000 / this.options.ordersPerSecond;
    const look = setInterval(() => {
      // While the database is down the last number stands.
      this.#samples.look(this.fleet).then(
        (left) => {
          this.#left = left;
        },
        () => undefined,
      );
    }, LOOK_EVERY_MS);
    for (let nextAt = Date.now(); Date.now() < until; nextAt += betweenMs * 2 * chance.next()) {
      // What could not come in while there was no room does not come all at once.
      nextAt = Math.max(nextAt, Date.now() - 1_000);
      await sleep(Math.max(0, nextAt - Date.now()));
      const isEnding = until - Date.now() < END_MS;
      const buyersMax = isEnding ? BUYERS_MAX_AT_THE_END : BUYERS_MAX;
      const leftMax = isEnding ? LEFT_TO_DO_MAX_AT_THE_END : LEFT_TO_DO_MAX;
      if (this.#inside.size >= buyersMax || this.#left > leftMax) continue;
      const buying = chance
        .weighted(ERRANDS)
        .run(this.#buyers)
        .finally(() => this.#inside.delete(buying));
      this.#inside.add(buying);
    }
    clearInterval(look);
    this.#isOver = true;
  }

  /** Takes every fault away and sees that everything runs. */
  async #heal(): Promise<void> {
    const { fleet } = this;
    fleet.postgres.thaw();
    await fleet.postgres.start();
    fleet.redis?.thaw();
    await fleet.redis?.start();
    await fleet.stripeWay.pass();
    // A connection that went silent would stay so.
    fleet.stripeWay.reset();
    fleet.door.heal();
    for (const member of fleet.members()) member.thaw();
    const started = await Promise.allSettled(fleet.members().map((member) => member.start()));
    for (const each of started) if (each.status === 'rejected') this.#failures.push(String(each.reason));
    await this.#stripeFaults.clear();
  }

  /** The same key gives the same bytes, now too; what nobody was told is settled by it. */
  async #repeatCommands({ keys }: Dump): Promise<void> {
    const refused = new Set(keys.filter(({ status }) => status >= 400).map(({ key }) => key));
    const commands = this.#history.commands.filter((command) => acknowledged(command) !== null || refused.has(command.key));
    const every = Math.max(1, Math.floor(commands.length / REPEATED_AT_THE_END));
    for (const [index, command] of commands.entries()) if (index % every === 0) await this.#client.once(command);
  }

  async #judge(seen: Pick<Evidence, 'dump' | 'stripe' | 'times'>): Promise<readonly Verdict[]> {
    const { fleet } = this;
    const journal = await readJournal(fleet.simulatorUrl);
    for (const entry of journal)
      if (entry.kind === 'request' && entry.fault !== null)
        this.#faults.add(`Stripe: ${entry.fault.action} ${entry.fault.phase} the effect`);
    const unanswered = this.#history.commands.filter(({ attempts }) =>
      attempts.every(({ answer }) => answer === null || answer.status >= 500),
    );
    const failures = [
      ...this.#failures,
      ...unanswered.map(({ verb, path, key }) => `${verb} (POST ${path}) under ${key} was never answered`),
      ...fleet.members().flatMap(({ deaths, badStops }) => [...deaths, ...badStops]),
    ];
    const scans = [...this.#samples.scans, ...(await scanTexts(fleet, join(this.options.folder, 'fleet/redis')))];
    return judge({ ...seen, history: this.#history, journal, scans, waiting: this.#samples.waiting, failures });
  }

  #state(): string {
    const { orders, commands } = this.#history;
    return `storm  ${this.#phase}: ${orders.size} orders, ${commands.length} commands, ${this.#inside.size} buyers, ${this.#faults.total} faults`;
  }
}
