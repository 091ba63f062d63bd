import { type Answered, backoffMs, pause, type Transport } from './transport.js';
import { type Order, orderOf } from './order.js';

/** The server speaks at once, and every 15 s if there is nothing to say; what is silent for longer is cut or held back on the way. */
const FIRST_WORD_MS = 5_000;
const SILENCE_MS = 35_000;
/** A way that ate this many streams in a row probably lets none through; from then on only every tenth look tries another one. */
const STREAM_TRIES = 3;
const STREAM_AGAIN_EVERY = 10;
const POLL_BASE_MS = 500;

/** Where an order is, and how it is read. */
export interface OrderAddress {
  readonly id: string;
  /** Needed with a publishable key. */
  readonly clientSecret: string | null;
  readonly signal?: AbortSignal | undefined;
}

/** The order as it is now; with the ETag of what the caller knows, null if that is still so. Rejects as Transport.send does. */
export async function readOrder(
  transport: Transport,
  { id, clientSecret, signal }: OrderAddress,
  etag: string | null = null,
): Promise<{ order: Order; etag: string | null } | null> {
  const headers = { ...secretHeader(clientSecret), ...(etag === null ? {} : { 'If-None-Match': etag }) };
  const answer: Answered = await transport.send({ path: pathOf(id), headers, signal });
  return answer.status === 304 ? null : { order: orderOf(answer.json), etag: answer.headers.get('ETag') };
}

/**
 * The order as it is now, and again whenever it has changed, until the caller stops or aborts. Follows the stream of its timeline; where
 * streams do not get through, it asks now and then.
 */
export async function* orderChanges(transport: Transport, address: OrderAddress): AsyncGenerator<Order, never> {
  let etag: string | null = null;
  for await (const _ of occasions(transport, address)) {
    const seen = await readOrder(transport, address, etag);
    if (seen === null) continue;
    ({ etag } = seen);
    yield seen.order;
  }
  throw new Error('bug: there is always another occasion');
}

/** Moments to look: now, whenever the stream speaks, and when there is none, after a while. */
async function* occasions(transport: Transport, address: OrderAddress): AsyncGenerator<void> {
  const follower = new Follower(transport, address);
  yield;
  for (let failures = 0; ;) {
    if (failures < STREAM_TRIES || failures % STREAM_AGAIN_EVERY === 0) {
      try {
        for await (const _ of follower.follow()) {
          failures = 0;
          yield;
        }
      } catch {
        // Why there is no stream, or no longer, does not matter: the read that follows finds out whether the order can be had at all.
      }
    }
    await pause(backoffMs(failures, POLL_BASE_MS), { signal: address.signal, endsWhenOnline: true });
    failures += 1;
    yield;
  }
}

/** Follows one order's timeline over any number of connections, each beginning after what the one before has brought. */
class Follower {
  #lastEventId: string | null = null;

  constructor(
    private readonly transport: Transport,
    private readonly address: OrderAddress,
  ) {}

  /** One connection: yields when something was received. Ends or throws when the connection does, or falls silent. */
  async *follow(): AsyncGenerator<void> {
    const { id, clientSecret, signal } = this.address;
    const leaving = new AbortController();
    const silent = watchdog(() => leaving.abort(new Error('The stream is silent.')));
    try {
      const response = await this.transport.open({
        path: `${pathOf(id)}/events`,
        headers: {
          Accept: 'text/event-stream',
          ...secretHeader(clientSecret),
          ...(this.#lastEventId === null ? {} : { 'Last-Event-ID': this.#lastEventId }),
        },
        signal: signal === undefined ? leaving.signal : AbortSignal.any([signal, leaving.signal]),
      });
      if (!response.ok || !/^text\/event-stream\b/i.test(response.headers.get('Content-Type') ?? '') || response.body === null) return;
      for await (const text of textsOf(response.body)) {
        silent.heard();
        if (this.#take(text)) yield;
      }
    } finally {
      silent.stop();
      leaving.abort();
    }
  }

  /** Whether there was an event in it. `text` is whole blocks. */
  #take(text: string): boolean {
    const ids = [...text.matchAll(/^id: ?(.+)$/gm)];
    this.#lastEventId = ids.at(-1)?.[1] ?? this.#lastEventId;
    return ids.length > 0;
  }
}

/** The stream's text in whole blocks. By a reader, since not every browser can iterate over a stream. */
async function* textsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const end = rest.lastIndexOf('\n\n') + 2;
      if (end < 2) continue;
      yield rest.slice(0, end);
      rest = rest.slice(end);
    }
  } finally {
    reader.releaseLock();
  }
}

/** Calls `bite` when nothing was heard for too long. */
function watchdog(bite: () => void): { heard(): void; stop(): void } {
  let timer = setTimeout(bite, FIRST_WORD_MS);
  return {
    heard: () => {
      clearTimeout(timer);
      timer = setTimeout(bite, SILENCE_MS);
    },
    stop: () => clearTimeout(timer),
  };
}

function pathOf(id: string): string {
  return `/v1/orders/${encodeURIComponent(id)}`;
}

function secretHeader(clientSecret: string | null): Record<string, string> {
  return clientSecret === null ? {} : { 'Oncepay-Client-Secret': clientSecret };
}
