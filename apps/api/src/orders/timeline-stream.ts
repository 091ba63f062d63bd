import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Inject, Injectable } from '@nestjs/common';
import { loadTimeline, type Order, type Orders, type TimelineLine } from '#libs/orders';
import { publicId, uuidOf } from '#libs/primitives';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { Authenticator } from '../callers/authenticate.js';
import { Draining } from '../health/draining.js';
import { ORDERS } from '../tokens.js';
import { OrderWatch } from './order-watch.js';

/** More often than proxies close a silent connection, usually after 30 or 60 seconds. */
const HEARTBEAT_MS = 15_000;
/** When a browser that lost the stream comes back. */
const RECONNECT_MS = 1_000;

/** Sends timelines as they grow, as server-sent events. Source: WHATWG HTML, 9.2. */
@Injectable()
export class TimelineStreams {
  constructor(
    @Inject(ORDERS) private readonly orders: Orders,
    private readonly watch: OrderWatch,
    private readonly draining: Draining,
    private readonly authenticator: Authenticator,
  ) {}

  /** Answers with the order's timeline after the request's Last-Event-ID, until the client leaves, its key ends or the process drains. */
  async open(request: FastifyRequest, reply: FastifyReply, order: Order): Promise<void> {
    const lastId = request.headers['last-event-id'];
    const left = new AbortController();
    reply.raw.once('close', () => left.abort());
    // Fastify would end the answer at the time limit of handlers.
    void reply.hijack();
    reply.raw.writeHead(200, {
      ...headersOf(reply),
      'Content-Type': 'text/event-stream; charset=utf-8',
      // nginx would hold events back until its buffer is full.
      'X-Accel-Buffering': 'no',
    });
    const chunks = this.#chunks(order, typeof lastId === 'string' ? uuidOf('oev', lastId) : null, request, left.signal);
    // A stream that ends early is no failure: the client reconnects from where it was.
    await pipeline(Readable.from(chunks), reply.raw).catch(() => undefined);
  }

  async *#chunks(order: Order, after: string | null, request: FastifyRequest, left: AbortSignal): AsyncGenerator<string> {
    yield `retry: ${RECONNECT_MS}\n\n`;
    let seen = { orderId: order.id, version: order.version };
    let lastId = after;
    while (!left.aborted && !this.draining.hasBegun) {
      const lines = await loadTimeline(this.orders.database.autocommit, order.id, lastId);
      lastId = lines.at(-1)?.id ?? lastId;
      yield lines.length === 0 ? ': still here\n\n' : lines.map(eventOf).join('');
      seen = { ...seen, version: await this.watch.changed(seen, HEARTBEAT_MS, left) };
      if (!(await this.#isStillAllowed(request))) return;
    }
  }

  /** A key may be revoked or expire while its stream is open. */
  #isStillAllowed(request: FastifyRequest): Promise<boolean> {
    return this.authenticator.authenticate({ authorization: request.headers.authorization, ip: request.ip }).then(
      () => true,
      () => false,
    );
  }
}

/** A line of a timeline as it is answered. */
export function viewLine({ id, type, at, cause, data }: TimelineLine) {
  return { id: publicId('oev', id), type, at: at.toISOString(), cause, data };
}

function eventOf(line: TimelineLine): string {
  const view = viewLine(line);
  return `id: ${view.id}\nevent: ${view.type}\ndata: ${JSON.stringify(view)}\n\n`;
}

/** What hooks have set so far. */
function headersOf(reply: FastifyReply): Record<string, string | string[]> {
  const entries = Object.entries(reply.getHeaders()).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value : String(value)] as const],
  );
  return Object.fromEntries(entries);
}
