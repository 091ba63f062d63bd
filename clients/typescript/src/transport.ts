import { errorOf, NoAnswerError, ProblemError, retryAfterOf, UnexpectedAnswerError } from './errors.js';

/** A request that may be sent any number of times: a read, or a command under its key. */
export interface Send {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Leaving: ends the sending, whatever it is at. */
  readonly signal?: AbortSignal | undefined;
}

/** An answer of the kind asked for: 2xx with JSON, or 304. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  /** null with 304. */
  readonly json: unknown;
}

export interface TransportOptions {
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Given up after this long without a usable answer. */
  readonly giveUpAfterMs: number;
  readonly fetch: typeof globalThis.fetch;
}

/** Full jitter: anything up to base · 2^n, at most the cap. Enough to spread a crowd, short enough for a buyer who waits. */
const BASE_MS = 300;
const CAP_MS = 8_000;
/** The server ends a request after 40 s. */
const ATTEMPT_TIMEOUT_MS = 45_000;
/** Past 4xx that say so, only these mean that nothing was decided yet. */
const TRANSIENT_CODES: readonly string[] = ['idempotency_key_in_progress', 'operation_in_progress', 'rate_limited', 'request_timeout'];
const TRANSIENT_STATUSES: readonly number[] = [408, 425, 429];

/** Sends requests until they are answered. */
export class Transport {
  constructor(private readonly options: TransportOptions) {}

  /**
   * Sends it again, after a random while or as long as `Retry-After` says, until there is an answer that decides. Rejects with
   * ProblemError or UnexpectedAnswerError when it was refused, NoAnswerError when time was up, the signal's reason when it was aborted.
   */
  async send(request: Send): Promise<Answered> {
    const { signal } = request;
    const deadline = performance.now() + this.options.giveUpAfterMs;
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.#attempt(request);
      if ('json' in outcome) return outcome;
      const { error, retryAfterSeconds } = outcome;
      if (retryAfterSeconds === undefined) throw error;
      const pauseMs = (retryAfterSeconds ?? 0) * 1_000 + backoffMs(attempt);
      if (performance.now() + pauseMs >= deadline) throw givenUp(error);
      await pause(pauseMs, { signal, endsWhenOnline: retryAfterSeconds === null });
    }
  }

  /** Sends it once and hands over the answer unread. Rejects as `fetch` does. */
  open({ method = 'GET', path, headers, body, signal }: Send): Promise<Response> {
    const { baseUrl, apiKey, fetch } = this.options;
    return fetch(`${baseUrl}${path}`, {
      method,
      headers: { Authorization: `Bearer ${apiKey}`, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
      // Keys and secrets are in headers; nothing of the page's cookies is needed.
      credentials: 'omit',
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async #attempt(request: Send): Promise<Answered | Failed> {
    const { signal } = request;
    signal?.throwIfAborted();
    const timeout = AbortSignal.timeout(ATTEMPT_TIMEOUT_MS);
    try {
      const response = await this.open({ ...request, signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]) });
      const text = await response.text();
      if (response.status === 304) return { status: 304, headers: response.headers, json: null };
      if (response.ok) return { status: response.status, headers: response.headers, json: JSON.parse(text) };
      return refused(response, text);
    } catch (error) {
      signal?.throwIfAborted();
      // No connection, one that broke, or half an answer: the outcome is unknown, and asking again is safe.
      return { error, retryAfterSeconds: null };
    }
  }
}

/** `retryAfterSeconds`: undefined when it is final, null when the server did not say how long to wait. */
interface Failed {
  readonly error: unknown;
  readonly retryAfterSeconds: number | null | undefined;
}

function refused(response: Response, text: string): Failed {
  const error = errorOf(response, text);
  const isTransient =
    response.status >= 500 ||
    TRANSIENT_STATUSES.includes(response.status) ||
    (error instanceof ProblemError && TRANSIENT_CODES.includes(error.code));
  if (!isTransient) return { error, retryAfterSeconds: undefined };
  return { error, retryAfterSeconds: retryAfterOf(response.headers) };
}

/** What the last answer said is kept, so that a caller who was told to wait too long knows how long. */
function givenUp(last: unknown): unknown {
  if (last instanceof ProblemError || last instanceof UnexpectedAnswerError) return last;
  return new NoAnswerError('Oncepay could not be reached. Whether the request was carried out is unknown; go on under the same name.', {
    cause: last,
  });
}

/** Any time up to base · 2^attempt, at most the cap. Source: "Exponential Backoff And Jitter", AWS Architecture Blog, full jitter. */
export function backoffMs(attempt: number, baseMs = BASE_MS): number {
  return Math.random() * Math.min(CAP_MS, baseMs * 2 ** attempt);
}

/** Waits; with `endsWhenOnline` not longer than until the browser is back on the net. Rejects with the signal's reason. */
export function pause(ms: number, { signal, endsWhenOnline = false }: { signal?: AbortSignal | undefined; endsWhenOnline?: boolean }) {
  return new Promise<void>((resolve, reject) => {
    const page = endsWhenOnline ? pageEvents() : undefined;
    const end = (then: () => void) => () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      page?.removeEventListener('online', wake);
      then();
    };
    const wake = end(resolve);
    const abort = end(() => reject(signal?.reason as Error));
    const timer = setTimeout(wake, ms);
    signal?.addEventListener('abort', abort);
    page?.addEventListener('online', wake);
    if (signal?.aborted === true) abort();
  });
}

/** A browser's window; Node has none. */
function pageEvents(): EventTarget | undefined {
  return Reflect.get(globalThis, 'window') as EventTarget | undefined;
}
