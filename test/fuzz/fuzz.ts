import fc from 'fast-check';
import { type Answer } from '../support/http-client.js';
import { ApiDocument } from './document.js';
import { complaintsAbout } from './judge.js';
import { anyRequest, type Drawn } from './requests.js';
import { asCurl, Sender, type WireRequest } from './sender.js';
import { World } from './world.js';

/** Which requests to send. */
export interface Plan {
  readonly requests: number;
  readonly seed: number;
  /** Leads to one request, as a failure prints it. */
  readonly path?: string | undefined;
  /** Called after each request with how many were sent and what was answered so far, by status. */
  readonly onProgress?: (figures: Figures) => void;
}

/** What was sent and answered. */
export interface Figures {
  sent: number;
  readonly byStatus: Map<number, number>;
  /** Operations that succeeded at least once: what only ever refuses is hardly tested. */
  readonly succeeded: Set<string>;
}

/** What a success of an operation adds, besides what it changes. */
const ADDS: Readonly<Record<string, string>> = {
  createOrder: 'orders',
  createRefund: 'refunds',
  makeKey: 'api_keys',
  rotateKey: 'api_keys',
};

/**
 * Sends random requests, right ones and hostile ones, for every operation of the OpenAPI document that takes something, one after another,
 * and asserts of each answer what holds of all; that a refusal leaves no row behind; and in the end that there are exactly the rows that were
 * acknowledged. Throws with the smallest request found that breaks it, the seed, and a curl.
 */
export async function fuzz({ requests, seed, path, onProgress }: Plan): Promise<Figures> {
  const world = await World.make();
  const run = new Run(world, onProgress);
  try {
    const property = fc.asyncProperty(anyRequest(new ApiDocument()), (drawn) => run.check(drawn));
    await fc.assert(property, {
      numRuns: requests,
      seed,
      ...(path === undefined ? {} : { path, endOnFailure: true }),
      reporter: (details) => {
        if (details.failed) throw new Error(describe(details, run, requests), { cause: details.errorInstance });
      },
    });
    await run.settle();
    return run.figures;
  } finally {
    run.close();
    await world.stack.close();
  }
}

class Run {
  readonly figures: Figures = { sent: 0, byStatus: new Map(), succeeded: new Set() };
  /** The last request that something was wrong with. */
  failed: { readonly wire: WireRequest; readonly answer: Answer | null } | null = null;
  readonly #sender = new Sender();
  readonly #added: Record<string, Set<string>> = { orders: new Set(), refunds: new Set(), api_keys: new Set() };
  #initially: Readonly<Record<string, number>> | null = null;
  #before: Readonly<Record<string, number>> = {};

  constructor(
    private readonly world: World,
    private readonly onProgress: Plan['onProgress'],
  ) {}

  async check(drawn: Drawn): Promise<void> {
    if (this.#initially === null) this.#before = this.#initially = await this.world.counts();
    const wire = this.world.wire(drawn);
    const answer = await this.#sender.send(wire).catch((error: unknown) => {
      this.failed = { wire, answer: null };
      throw error;
    });
    this.#note(drawn, answer);
    const complaints = [...complaintsAbout(drawn, answer), ...(await this.#leftBehind(drawn, wire, answer))];
    if (complaints.length === 0) return;
    this.failed = { wire, answer };
    throw new Error(complaints.join('\n'));
  }

  /** There are exactly the rows that were acknowledged. */
  async settle(): Promise<void> {
    const now = await this.world.counts();
    for (const [table, ids] of Object.entries(this.#added)) {
      const grown = (now[table] ?? 0) - (this.#initially?.[table] ?? 0);
      if (grown !== ids.size) throw new Error(`${ids.size} ${table} were acknowledged, and there are ${grown} more`);
    }
  }

  close(): void {
    this.#sender.close();
  }

  #note({ operation }: Drawn, { status, json }: Answer): void {
    const { byStatus, succeeded } = this.figures;
    this.figures.sent += 1;
    byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
    if (status < 300) succeeded.add(operation.id);
    const table = ADDS[operation.id];
    if (status === 201 && table !== undefined) this.#added[table]?.add(String(json['id']));
    this.onProgress?.(this.figures);
  }

  /** Only a success may change anything: what was counted before is what is counted after. */
  async #leftBehind(drawn: Drawn, wire: WireRequest, { status, json }: Answer): Promise<readonly string[]> {
    if (drawn.operation.method === 'GET') return [];
    const now = await this.world.counts();
    const changes = Object.entries(now).filter(([table, count]) => count !== this.#before[table]);
    this.#before = now;
    if (status < 300) this.world.learn(drawn, wire, json['id']);
    return status < 300 ? [] : changes.map(([table, count]) => `${table}: ${count} after a refusal`);
  }
}

function describe({ counterexamplePath, seed, errorInstance }: fc.RunDetails<[Drawn]>, { failed }: Run, requests: number): string {
  const shown =
    failed === null
      ? ''
      : `\n\n${asCurl(failed.wire)}\n\n${failed.answer?.status ?? 'no answer'} ${failed.answer?.text.slice(0, 2_000) ?? ''}`;
  return `${errorInstance instanceof Error ? errorInstance.message : String(errorInstance)}${shown}\n\nseed ${seed}: npm run fuzz -- --requests ${requests} --seed ${seed} --path ${counterexamplePath ?? ''}`;
}
