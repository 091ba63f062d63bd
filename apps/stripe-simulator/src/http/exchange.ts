import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

/** A request that was read whole, and the response to it. */
export interface Exchange {
  method: string;
  path: string;
  query: string;
  headers: IncomingHttpHeaders;
  body: string;
  response: ServerResponse;
}

export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Far above any request of Stripe's API; keeps a runaway client from filling the memory. */
const BODY_BYTES_MAX = 2 * 1024 * 1024;

export async function readExchange(request: IncomingMessage, response: ServerResponse): Promise<Exchange> {
  const [path = '/', query = ''] = splitOnce(request.url ?? '/', '?');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new Error(`request body is larger than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return {
    method: request.method ?? 'GET',
    path: path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path,
    query,
    headers: request.headers,
    body: Buffer.concat(chunks).toString('utf8'),
    response,
  };
}

export function send(exchange: Exchange, reply: Reply): void {
  const { response } = exchange;
  response.writeHead(reply.status, { ...reply.headers, 'Content-Length': String(Buffer.byteLength(reply.body)) });
  response.end(reply.body);
}

export function json(status: number, value: unknown): Reply {
  return {
    status,
    headers: { 'Content-Type': 'application/json', 'Access-Control-Allow-Origin': '*' },
    body: `${JSON.stringify(value, null, 2)}\n`,
  };
}

export function headerOf(exchange: Exchange, name: string): string | undefined {
  const value = exchange.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** Resolves when the client is gone, or after `ms`. */
export async function clientGone(exchange: Exchange, ms?: number): Promise<void> {
  const { response } = exchange;
  if (response.destroyed || response.socket?.destroyed === true) return;
  await new Promise<void>((resolve) => {
    const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
    response.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
