import http from 'node:http';
import https from 'node:https';
import { Stripe } from 'stripe';
import { timeStripeCall } from './stripe-calls.js';

/** Where and as whom we speak to Stripe. */
export interface StripeConnection {
  readonly secretKey: string;
  /** null: Stripe itself; else the simulator. */
  readonly apiBase: string | null;
  /** How long one call may take as a whole. */
  readonly timeoutMs: number;
}

/** At least the worker's concurrency, so that no call waits for a socket while its lease runs. */
const MAX_SOCKETS = 64;

/** Errors of a connection that died under a request: whether Stripe acted on it, nobody knows. */
const CONNECTION_CUT = new Set(['ECONNRESET', 'EPIPE']);

/**
 * The official client with its own retries off: there is one retry layer, the job's. The SDK sends once more on a cut
 * connection even with zero retries (it looks for the two error codes); renaming the code leaves the cut to us.
 */
export function createStripeClient({ secretKey, apiBase, timeoutMs }: StripeConnection): Stripe {
  const base = new URL(apiBase ?? 'https://api.stripe.com');
  const secure = base.protocol === 'https:';
  const agent = secure
    ? new https.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS })
    : new http.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  const httpClient = Stripe.createNodeHttpClient(agent);
  const send = httpClient.makeRequest.bind(httpClient);
  httpClient.makeRequest = async (...request) => {
    const [, , path, method] = request;
    const answered = timeStripeCall(method, path);
    try {
      const response = await send(...request);
      answered(response.getStatusCode());
      endAfter(timeoutMs, response.getRawResponse());
      const parse = response.toJSON.bind(response);
      response.toJSON = async () => asObject(await parse());
      return response;
    } catch (error) {
      answered(null);
      if (error instanceof Error && 'code' in error && CONNECTION_CUT.has(String(error.code))) error.code = 'CONNECTION_CUT';
      throw error;
    }
  };
  return new Stripe(secretKey, {
    host: base.hostname,
    port: base.port === '' ? (secure ? 443 : 80) : Number(base.port),
    protocol: secure ? 'https' : 'http',
    httpClient,
    timeout: timeoutMs,
    maxNetworkRetries: 0,
    telemetry: false,
  });
}

/** The SDK waits for ever while single bytes keep coming; nobody waits with it, and the socket is needed. */
function endAfter(timeoutMs: number, response: unknown): void {
  if (!(response instanceof http.IncomingMessage)) return;
  const timer = setTimeout(() => response.destroy(), timeoutMs);
  response.once('close', () => clearTimeout(timer));
}

/** On JSON that is no object, such as a proxy's `"unavailable"`, the SDK throws where nobody can catch it. */
function asObject(json: unknown): object {
  if (typeof json !== 'object' || json === null) throw new TypeError('the answer is no JSON object');
  return json;
}
