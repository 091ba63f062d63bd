import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** Parts of the worker, each with what resolves when it works and rejects, or resolves with false, when it does not. */
type HealthChecks = Readonly<Record<string, () => Promise<unknown>>>;

/** What the worker is asked about itself. */
interface Health {
  /** What must go on, or the process is of no use any more. */
  readonly live: HealthChecks;
  /** What it needs for its work. */
  readonly ready: HealthChecks;
  readonly backlog: () => Promise<{ readonly isLate: boolean; readonly facts: object }>;
  /** The text of /metrics. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/** Longer than a healthy answer ever takes, shorter than an orchestrator's patience. */
const CHECK_TIMEOUT_MS = 2_000;

const HEADERS = { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' };

type Outcomes = Readonly<Record<string, { readonly status: 'up' | 'down' }>>;

/**
 * Serves /metrics for Prometheus, and in the form of the API's health routes /health/live, which says that the loops turn, /health/ready,
 * which says that every check passes, and /health/backlog. Stripe is never part of it.
 */
export async function startHealthServer(port: number, health: Health): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => void answer(request, response, health));
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

async function answer({ url }: IncomingMessage, response: ServerResponse, health: Health): Promise<void> {
  if (url === '/metrics') {
    const { contentType, text } = await health.metrics();
    return void response.writeHead(200, { 'Content-Type': contentType, 'Cache-Control': 'no-store' }).end(text);
  }
  if (url === '/health/live') return send(response, await outcomesOf(health.live));
  if (url === '/health/ready') return send(response, await outcomesOf(health.ready));
  if (url !== '/health/backlog') return void response.writeHead(404, HEADERS).end(JSON.stringify({ status: 'error', details: {} }));
  const backlog = await health.backlog().catch(() => null);
  send(response, { backlog: { status: backlog?.isLate === false ? 'up' : 'down', ...backlog?.facts } });
}

async function outcomesOf(checks: HealthChecks): Promise<Outcomes> {
  return Object.fromEntries(
    await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, { status: (await passes(check)) ? 'up' : 'down' }] as const),
    ),
  );
}

/** What the driver says of a failure quotes the connection; the answer is only that it does not work. */
async function passes(check: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([
      check().then(
        (result) => result !== false,
        () => false,
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

function send(response: ServerResponse, details: Outcomes): void {
  const isWell = Object.values(details).every(({ status }) => status === 'up');
  response.writeHead(isWell ? 200 : 503, HEADERS).end(JSON.stringify({ status: isWell ? 'ok' : 'error', details }));
}
