import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** What the worker is asked about itself: each check resolves when that part works and rejects when it does not. */
export type HealthChecks = Readonly<Record<string, () => Promise<void>>>;

/** Longer than a healthy answer ever takes, shorter than an orchestrator's patience. */
const CHECK_TIMEOUT_MS = 2_000;

/** What the server gives besides: the text of /metrics. */
type RenderMetrics = () => Promise<{ readonly contentType: string; readonly text: string }>;

/**
 * Serves /metrics for Prometheus, /health/live, which says that the event loop turns, and /health/ready, which says that every check passes, in
 * the form of the API's health routes. Stripe is never part of it.
 */
export async function startHealthServer(
  port: number,
  checks: HealthChecks,
  metrics: RenderMetrics,
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => void answer(request, response, checks, metrics));
  server.listen(port);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function answer({ url }: IncomingMessage, response: ServerResponse, checks: HealthChecks, metrics: RenderMetrics): Promise<void> {
  if (url === '/metrics') {
    const { contentType, text } = await metrics();
    return void response.writeHead(200, { 'Content-Type': contentType, 'Cache-Control': 'no-store' }).end(text);
  }
  if (url === '/health/live') return send(response, 200, { status: 'ok', details: {} });
  if (url !== '/health/ready') return send(response, 404, { status: 'error', details: {} });
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, { status: (await passes(check)) ? 'up' : 'down' }] as const),
  );
  const isReady = results.every(([, { status }]) => status === 'up');
  send(response, isReady ? 200 : 503, { status: isReady ? 'ok' : 'error', details: Object.fromEntries(results) });
}

/** What the driver says of a failure quotes the connection; the answer is only that it does not work. */
async function passes(check: () => Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([
      check().then(
        () => true,
        () => false,
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' }).end(JSON.stringify(body));
}
