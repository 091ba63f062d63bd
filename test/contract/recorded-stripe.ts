import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Stripe } from 'stripe';
import { ENDPOINTS } from '../../apps/stripe-simulator/src/api/routes.js';
import { Router } from '../../apps/stripe-simulator/src/http/router.js';
import { startSimulator } from '../../apps/stripe-simulator/src/simulator.js';
import { type Exchange, recordingProxyTo } from './recording-proxy.js';
import type { ShapeCheck } from './shape-check.js';

const ACCOUNT = 'contract';

/** Every route the simulator has, as in `GET /v1/charges/:id`. */
export const ROUTES = ENDPOINTS.map(({ method, path }) => `${method} ${path}`);

/** A webhook as it arrived. */
export interface Delivery {
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** A simulator, everything that was said to it, and everything it told. */
export interface RecordedStripe {
  /** Where the recording starts; what is sent past it is not in `exchanges`. */
  readonly url: string;
  /** The official client with the account's secret key. */
  readonly stripe: Stripe;
  readonly exchanges: readonly Exchange[];
  readonly webhookUrl: string;
  readonly deliveries: readonly Delivery[];
  /** Posts to the simulator's control plane, or reads from it where there is no body. */
  control(path: string, body?: object): Promise<Record<string, unknown>>;
  /** Sends what the official client would not: a publishable key, a wrong parameter, no key at all. */
  raw(route: string, form?: string, key?: string): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

export async function recordedStripe(): Promise<RecordedStripe> {
  const simulator = await startSimulator({ port: 0 });
  const proxy = await recordingProxyTo(simulator.url);
  const deliveries: Delivery[] = [];
  const receiver = createServer((delivered, answer) => {
    void text(delivered).then((body) => {
      deliveries.push({ body, headers: delivered.headers });
      return answer.end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  return {
    url: proxy.url,
    stripe: new Stripe(`sk_test_${ACCOUNT}`, {
      host: '127.0.0.1',
      port: proxy.port,
      protocol: 'http',
      maxNetworkRetries: 0,
      telemetry: false,
    }),
    exchanges: proxy.exchanges,
    webhookUrl: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`,
    deliveries,
    control: (path, body) =>
      jsonOf(fetch(`${simulator.url}/_sim${path}`, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }), 200),
    raw: (route, form, key = `pk_test_${ACCOUNT}`) => {
      const [method = 'GET', path = '/'] = route.split(' ');
      return jsonOf(
        fetch(`${proxy.url}${path}`, {
          method,
          headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/x-www-form-urlencoded' },
          ...(form === undefined ? {} : { body: form }),
        }),
      );
    },
    close: async () => {
      await proxy.close();
      await simulator.close();
      receiver.closeAllConnections();
      receiver.close();
    },
  };
}

const router = new Router(ENDPOINTS);

/** Which route was asked; the plain path where there is none. */
export function routeOf({ method, path }: Exchange): string {
  const route = router.find(method, path)?.route;
  return `${method} ${route?.path ?? path}`;
}

/** What in an answer is not as Stripe declares it, as `request  path: reason`. */
export function violationsOf(exchange: Exchange, shapes: ShapeCheck): string[] {
  const isForBrowser = exchange.authorization.startsWith('Bearer pk_');
  const name = exchange.status === 200 ? `${routeOf(exchange)}${isForBrowser ? ' in a browser' : ''}` : 'refusal';
  if (!shapes.declares('Answers', name)) return [`${name}  Stripe declares no such route`];
  const answer: unknown = JSON.parse(exchange.answer);
  const where = `${routeOf(exchange)} ${exchange.status}`;
  return [
    ...shapes.problems('Answers', name, answer).map((problem) => `${where}  ${problem}`),
    ...eventsIn(name, answer).flatMap((event) => eventViolations(event, shapes)),
  ];
}

function eventsIn(name: string, answer: unknown): readonly unknown[] {
  if (name === 'GET /v1/events') return (answer as { data: unknown[] }).data;
  return name === 'GET /v1/events/:id' ? [answer] : [];
}

/** What in an event, its `data` included, is not as Stripe declares events of its type. */
export function eventViolations(event: unknown, shapes: ShapeCheck): string[] {
  const { type } = event as { type: string };
  if (!shapes.declares('Events', type)) return [`${type}  Stripe declares no such event`];
  return shapes.problems('Events', type, event).map((problem) => `${type}  ${problem}`);
}

async function jsonOf(sent: Promise<Response>, status?: number): Promise<Record<string, unknown>> {
  const response = await sent;
  const body = await response.text();
  if (status !== undefined && response.status !== status) throw new Error(`The simulator answered ${response.status}: ${body}`);
  return JSON.parse(body) as Record<string, unknown>;
}
