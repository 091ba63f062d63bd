import { type Database } from '#libs/database';
import { type Logger } from '#libs/telemetry';
import { addHits, forgetHitsBefore, type Hits } from './rate-limit.store.js';

/** A limit on how often something may happen in a minute. */
export interface Quota {
  readonly name: 'key' | 'ip' | 'auth' | 'origin';
  /** 0: no limit. */
  readonly perMinute: number;
}

/** Where somebody stands within a quota. */
export interface Standing {
  readonly quota: Quota;
  readonly isExceeded: boolean;
  readonly remaining: number;
  readonly resetSeconds: number;
}

/** Processes learn of each other's counts this late: so much more than a limit can pass. */
const SHARE_EVERY_MS = 250;
const MINUTE_MS = 60_000;

interface Count {
  minute: number;
  /** What all processes had told when this one last did. */
  shared: number;
  /** What this process has not told yet, and what it is just telling. */
  untold: number;
  telling: number;
}

/**
 * Counts in memory and tells the database four times a second, all buckets in one statement, so that a request costs none. Processes
 * share what they count; without the database each counts for itself.
 */
export class RateLimiter {
  readonly #counts = new Map<string, Count>();
  #timer: NodeJS.Timeout | null = null;
  #sharing: Promise<void> = Promise.resolve();
  #forgottenBefore = 0;

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
  ) {}

  /** Counts one more unless the quota is used up, which counting more would only prolong. */
  count(bucket: string, quota: Quota): Standing {
    const standing = this.look(bucket, quota);
    if (standing.isExceeded || quota.perMinute === 0) return standing;
    this.#countOf(nameOf(bucket, quota)).untold += 1;
    this.#timer ??= setTimeout(() => this.#share(), SHARE_EVERY_MS);
    return { ...standing, remaining: standing.remaining - 1 };
  }

  /** Where the bucket stands, without counting. */
  look(bucket: string, quota: Quota): Standing {
    const { shared, untold, telling } = this.#countOf(nameOf(bucket, quota));
    const remaining = Math.max(0, quota.perMinute - shared - untold - telling);
    const resetSeconds = Math.ceil((MINUTE_MS - (Date.now() % MINUTE_MS)) / 1_000);
    return { quota, isExceeded: quota.perMinute > 0 && remaining === 0, remaining, resetSeconds };
  }

  /** Tells what is left to tell. */
  async close(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    await this.#sharing;
    await this.#tell();
  }

  #countOf(name: string): Count {
    const minute = currentMinute();
    const known = this.#counts.get(name);
    if (known?.minute === minute) return known;
    const count = { minute, shared: 0, untold: 0, telling: 0 };
    this.#counts.set(name, count);
    return count;
  }

  #share(): void {
    this.#sharing = this.#tell().then(() => {
      this.#timer = [...this.#counts.values()].some(({ untold }) => untold > 0) ? setTimeout(() => this.#share(), SHARE_EVERY_MS) : null;
    });
  }

  async #tell(): Promise<void> {
    const telling = [...this.#counts].filter(([, { untold }]) => untold > 0);
    if (telling.length === 0) return;
    const hits = telling.map(([bucket, count]): Hits => {
      count.telling = count.untold;
      count.untold = 0;
      return { bucket, minute: count.minute, hits: count.telling };
    });
    try {
      const shared = new Map((await addHits(this.database.autocommit, hits)).map((row) => [row.bucket, row.hits]));
      for (const [bucket, count] of telling)
        Object.assign(count, { shared: shared.get(bucket) ?? count.shared + count.telling, telling: 0 });
      await this.#forget();
    } catch (error) {
      this.logger.debug({ error }, 'request counts could not be shared');
      for (const [, count] of telling) Object.assign(count, { shared: count.shared + count.telling, telling: 0 });
    }
  }

  async #forget(): Promise<void> {
    const minute = currentMinute();
    if (this.#forgottenBefore === minute) return;
    this.#forgottenBefore = minute;
    for (const [bucket, count] of this.#counts) if (count.minute < minute && count.untold === 0) this.#counts.delete(bucket);
    await forgetHitsBefore(this.database.autocommit, minute - 1);
  }
}

function nameOf(bucket: string, { name }: Quota): string {
  return `${name}:${bucket}`;
}

/** By the wall clock, which processes share closely enough; a virtual one may stand still. */
function currentMinute(): number {
  return Math.floor(Date.now() / MINUTE_MS);
}
