import http from 'node:http';

/** An answer, read whole. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs?: number;
}

/** Longer than an API takes that waits for a database which restarts, short enough for a buyer to try again. */
const TIMEOUT_MS = 12_000;

const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });

/** Sends one request over plain HTTP. Rejects when no whole answer came. */
export function request(url: string, { method, headers = {}, body, timeoutMs = TIMEOUT_MS }: HttpRequest = {}): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const sent = http.request(
      url,
      {
        agent,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: { ...headers, ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }) },
      },
      (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.on('error', reject);
        answer.on('aborted', () => reject(new Error('the answer was cut')));
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(pieces).toString() }),
        );
      },
    );
    const impatience = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    sent.on('close', () => clearTimeout(impatience));
    sent.on('error', reject);
    sent.end(body);
  });
}

/** The body as JSON; an empty object when it is none. */
export function jsonOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
