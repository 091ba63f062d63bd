import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after } from 'node:test';
import { Stripe } from 'stripe';
import { startSimulator } from '../../apps/stripe-simulator/src/simulator.js';

export type Json = Record<string, unknown>;

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  body: Json;
}

export interface ApiOptions {
  key?: string;
  idempotencyKey?: string;
  headers?: Record<string, string>;
}

export interface Harness {
  url: string;
  port: number;
  /** The official client, without retries of its own. */
  stripe(key?: string): Stripe;
  /** One plain request to `/v1`; `params` is already form-encoded. */
  api(method: string, path: string, params?: string, options?: ApiOptions): Promise<Answer>;
  control(path: string, body?: unknown, method?: string): Promise<Json>;
  close(): Promise<void>;
}

/** A simulator of this test file's own, stopped when the file is through. */
export async function simulate(options: Partial<Parameters<typeof startSimulator>[0]> = {}): Promise<Harness> {
  const simulator = await startSimulator({ port: 0, ...options });
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await simulator.close();
  };
  after(close);
  return { ...harnessOf(simulator.url), close };
}

/** The same conveniences for a simulator that runs elsewhere. */
export function harnessOf(url: string): Omit<Harness, 'close'> {
  const port = Number(new URL(url).port);
  return {
    url,
    port,
    stripe: (key = 'sk_test_a') => new Stripe(key, { host: '127.0.0.1', port, protocol: 'http', maxNetworkRetries: 0, telemetry: false }),
    async api(method, path, params, { key = 'sk_test_a', idempotencyKey, headers = {} } = {}) {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          ...(key === '' ? {} : { Authorization: `Bearer ${key}` }),
          ...(params === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' }),
          ...(idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }),
          ...headers,
        },
        ...(params === undefined ? {} : { body: params }),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, body: text.startsWith('{') ? parsed(text) : {} };
    },
    async control(path, body, method = body === undefined ? 'GET' : 'POST') {
      const response = await fetch(`${url}/_sim${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} /_sim${path} answered ${response.status}: ${text}`);
      return parsed(text);
    },
  };
}

export interface Received {
  headers: http.IncomingHttpHeaders;
  raw: string;
  event: Json & { id: string; type: string };
}

export interface Receiver {
  url: string;
  received: Received[];
  /** What it answers; 200 unless told otherwise. */
  status: (received: Received) => number;
  close(): Promise<void>;
}

/** An endpoint for webhooks. */
export async function receiveWebhooks(): Promise<Receiver> {
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks).toString('utf8');
      const received = { headers: request.headers, raw, event: parsed(raw) as Received['event'] };
      receiver.received.push(received);
      response.writeHead(receiver.status(received)).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/hook`,
    received: [],
    status: () => 200,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  after(() => receiver.close());
  return receiver;
}

export function parsed(text: string): Json {
  return JSON.parse(text) as Json;
}

/** The error object of a refusal. */
export function errorOf(answer: Answer): Json {
  return (answer.body['error'] ?? {}) as Json;
}

/** Runs what the client refuses, and returns its error. */
export async function refusal(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) return error;
    throw error;
  }
  throw new Error('the call was expected to be refused');
}

/** What an intent needs that is confirmed on the server without a page to come back to. */
export const NO_REDIRECTS = { enabled: true, allow_redirects: 'never' } as const;
