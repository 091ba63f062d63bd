import { Api } from './api/api.js';
import { ENDPOINTS } from './api/routes.js';
import { ControlPlane } from './control/control-plane.js';
import { Faults } from './control/faults.js';
import { WebhookFaults } from './control/webhook-faults.js';
import { ScheduledEffects } from './core/scheduled-effects.js';
import { World } from './core/world.js';
import { type Exchange, headerOf, json, send } from './http/exchange.js';
import { listen } from './http/http-server.js';
import { Router } from './http/router.js';
import { Pages } from './pages/pages.js';
import { WebhookDelivery } from './webhooks/webhook-delivery.js';

export interface SimulatorOptions {
  /** 0 takes any free port. */
  port: number;
  host?: string | undefined;
  /** Where the state is kept; without one it is gone with the process. */
  stateFile?: string | undefined;
  /** An endpoint every account has, signed with `webhookSecret`. */
  webhookUrl?: string | undefined;
  webhookSecret?: string | undefined;
}

export interface RunningSimulator {
  url: string;
  port: number;
  close(): Promise<void>;
}

/** Starts a local Stripe and resolves once it answers. Rejects when the port is taken or the state file cannot be read. */
export async function startSimulator(options: SimulatorOptions): Promise<RunningSimulator> {
  const host = options.host ?? '127.0.0.1';
  const { webhookUrl, webhookSecret = '' } = options;
  const world = new World({ stateFile: options.stateFile, hasCommonEndpoint: webhookUrl !== undefined });
  let url = '';
  const pagesUrl = (): string => url;
  const faults = new Faults();
  const webhookFaults = new WebhookFaults();
  const delivery = new WebhookDelivery(
    world,
    webhookFaults,
    webhookUrl === undefined ? undefined : { url: webhookUrl, secret: webhookSecret },
  );
  const scheduled = new ScheduledEffects(world, pagesUrl);
  const api = new Api({ world, faults, router: new Router(ENDPOINTS), pagesUrl });
  const pages = new Pages(world, pagesUrl);
  const control = new ControlPlane({ world, faults, webhookFaults, delivery, scheduled, pagesUrl });
  const server = await listen({ host, port: options.port }, async (exchange) => {
    if (exchange.method === 'OPTIONS') send(exchange, preflight(exchange));
    else if (exchange.path.startsWith('/_sim/pages/')) pages.answer(exchange);
    else if (exchange.path === '/_sim' || exchange.path.startsWith('/_sim/')) control.answer(exchange);
    else if (exchange.path === '/') send(exchange, json(200, { simulator: 'Stripe', control: '/_sim' }));
    else await api.answer(exchange);
  });
  // Browsers and buyers are on this machine, whatever address the server is bound to.
  url = `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${server.port}`;
  delivery.resume();
  scheduled.runDue();
  world.commit();
  return {
    url,
    port: server.port,
    async close() {
      scheduled.close();
      delivery.close();
      await server.close();
      world.close();
    },
  };
}

function preflight(exchange: Exchange): { status: number; headers: Record<string, string>; body: string } {
  return {
    status: 204,
    headers: {
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Allow-Methods': 'GET, POST, DELETE, OPTIONS',
      'Access-Control-Allow-Headers':
        headerOf(exchange, 'access-control-request-headers') ?? 'Authorization, Content-Type, Idempotency-Key, Stripe-Version',
      'Access-Control-Max-Age': '300',
    },
    body: '',
  };
}
