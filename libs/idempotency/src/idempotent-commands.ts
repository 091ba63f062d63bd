import { setTimeout as delay } from 'node:timers/promises';
import { type Database, type Tx } from '#libs/database';
import { type Clock, DomainError } from '#libs/primitives';
import { countDuplicate } from '#libs/telemetry';
import { claimOf, findKey, type KeyClaim, storeAnswer, type StoredKey, type StoredResponse, takeKey } from './idempotency-key.store.js';
import { type IdempotentRequest } from './idempotency-key.js';

/** An answer to a command: its first, or the same bytes again. */
export interface CommandAnswer extends StoredResponse {
  readonly replayed: boolean;
}

/** How a command makes the key its own, in the commit that does what it asks for. */
export interface Claim {
  /** The row that a command of one statement must insert with the rest. */
  rowFor(response: StoredResponse): KeyClaim;
  /**
   * Runs a command of several statements in one transaction, unless the key is taken, and stores the answer in it; a
   * final refusal too, so `work` must refuse before it writes.
   */
  inTransaction(work: (tx: Tx) => Promise<StoredResponse>): Promise<StoredResponse | 'taken'>;
}

/**
 * Runs a command and stores its answer under the key in one commit. Returns the answer it committed, or `taken` when
 * the key was not free. Anything it throws leaves no trace.
 */
export type Execute = (claim: Claim) => Promise<StoredResponse | 'taken'>;

/** Makes the answer of a refusal. */
export type RenderRefusal = (refusal: DomainError) => StoredResponse;

interface Dependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly retentionDays: number;
}

/** What is on record for the key after an attempt, and the answer of the attempt itself if it was the first. */
interface Attempt {
  readonly known: StoredKey;
  readonly response: StoredResponse | null;
}

/** How long a repeated request waits for the first before it is told to come again. */
const WAIT_MS = 2_000;
/** How often a request looks whether another process has finished the first; each look holds a connection for a millisecond. */
const LOOK_EVERY_MS = 40;
const DAY_MS = 86_400_000;

/**
 * Makes a command happen once per key, whoever repeats it and when, and gives every repetition the first answer.
 * Requests of one process wait for each other in memory, those of other processes by looking again: none of them holds
 * a connection while it waits, so that waiters can never starve the request they wait for.
 */
export class IdempotentCommands {
  /** The first request of each key under way in this process; settles to its answer, or to null when it was refused. */
  readonly #underWay = new Map<string, Promise<StoredKey | null>>();

  constructor(private readonly deps: Dependencies) {}

  /**
   * Runs `execute` unless the key already has an answer. Safe to repeat: that is what it is for.
   * Throws DomainError idempotency_key_reused, _in_progress or _expired, and what `execute` throws; a refusal by
   * `execute` gives way to a stored answer, so that stricter rules never break the replay of what was once accepted.
   * `render` makes the stored answer of a refusal that nothing later can change.
   */
  async run(request: IdempotentRequest, execute: Execute, render: RenderRefusal): Promise<CommandAnswer> {
    const name = JSON.stringify([request.scope, request.key]);
    const deadline = performance.now() + WAIT_MS;
    for (;;) {
      const first = this.#underWay.get(name);
      if (first === undefined) break;
      const known = await Promise.race([first, delay(deadline - performance.now(), 'late' as const, { ref: false })]);
      if (known === 'late') throw inProgress();
      if (known !== null) return this.#replay(request, known);
    }
    const attempt = this.#attempt(request, execute, render, deadline);
    this.#underWay.set(
      name,
      attempt.then(
        ({ known }) => known,
        () => null,
      ),
    );
    try {
      const { known, response } = await attempt;
      return response === null ? this.#replay(request, known) : { ...response, replayed: false };
    } finally {
      this.#underWay.delete(name);
    }
  }

  /** Tries to be first; else finds the answer of whoever was, looking again while another process is still at it. */
  async #attempt(request: IdempotentRequest, execute: Execute, render: RenderRefusal, deadline: number): Promise<Attempt> {
    const claim = this.#claim(request, render);
    for (;;) {
      try {
        const response = await execute(claim);
        if (response !== 'taken') {
          return { response, known: { ...response, fingerprint: request.fingerprint, createdAt: this.deps.clock.now() } };
        }
      } catch (error) {
        const stored = error instanceof DomainError ? await findKey(this.deps.database.autocommit, request) : null;
        if (stored === null) throw error;
        return { response: null, known: stored };
      }
      const stored = await findKey(this.deps.database.autocommit, request);
      if (stored !== null) return { response: null, known: stored };
      if (performance.now() + LOOK_EVERY_MS > deadline) throw inProgress();
      await delay(LOOK_EVERY_MS);
    }
  }

  #claim(request: IdempotentRequest, render: RenderRefusal): Claim {
    const { database, clock } = this.deps;
    return {
      rowFor: (response) => claimOf(request, response, clock.now()),
      inTransaction: (work) =>
        database.transaction(async (tx) => {
          if (!(await takeKey(tx, request))) return 'taken';
          const response = await work(tx).catch((error: unknown) => {
            if (error instanceof DomainError && error.isFinal) return render(error);
            throw error;
          });
          await storeAnswer(tx, request, response, clock.now());
          return response;
        }),
    };
  }

  #replay(request: IdempotentRequest, stored: StoredKey): CommandAnswer {
    if (stored.fingerprint !== request.fingerprint) {
      throw new DomainError(
        'idempotency_key_reused',
        'This Idempotency-Key was used for another request. Use a new key for a new request; repeat a request unchanged.',
      );
    }
    const ageMs = this.deps.clock.now().getTime() - stored.createdAt.getTime();
    // A refusal that is too old is deleted whole, and until then is given as it was: nothing was carried out.
    const isTooOld = stored.status < 400 && ageMs > this.deps.retentionDays * DAY_MS;
    if (stored.body === null || isTooOld) {
      throw new DomainError(
        'idempotency_key_expired',
        `This request was carried out, but its answer was kept only ${this.deps.retentionDays} days. See Location for what it made.`,
        stored.location === null ? {} : { location: stored.location },
      );
    }
    countDuplicate('idempotency_key');
    return { status: stored.status, location: stored.location, body: stored.body, replayed: true };
  }
}

function inProgress(): DomainError {
  return new DomainError(
    'idempotency_key_in_progress',
    'The first request with this Idempotency-Key is still being carried out. Send the same request again.',
    {
      retryAfterSeconds: 1,
    },
  );
}
