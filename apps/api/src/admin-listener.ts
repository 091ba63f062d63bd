import { once } from 'node:events';
import { createServer } from 'node:http';
import { type Socket } from 'node:net';
import { DomainError } from '#libs/primitives';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { pathOf } from './http/problem.js';

/** What lives on the admin port alone, where there is one. */
const ADMIN_ONLY = /^\/(metrics|v1\/ops)(\/|$)/;
/** What both answer: health, for whoever scrapes there, and the pages that the type of a problem leads to. */
const EVERYWHERE = /^\/(health|problems)\//;

/** A second listener of the same application, and which connections came in by it. */
export class AdminListener {
  readonly #sockets = new WeakSet<Socket>();
  #stop: () => Promise<void> = async () => undefined;

  /**
   * Keeps metrics and ops to the admin port, and everything else away from it. On the other port a route is answered as
   * one that does not exist.
   */
  separate(fastify: FastifyInstance, refuse: (error: DomainError, request: FastifyRequest, reply: FastifyReply) => void): void {
    fastify.addHook('onRequest', async (request, reply) => {
      // By the route that was found: the path may be spelt in more ways than one (`/%6detrics`).
      const route = request.routeOptions.url ?? pathOf(request);
      if (EVERYWHERE.test(route) || ADMIN_ONLY.test(route) === this.#sockets.has(request.raw.socket)) return;
      refuse(new DomainError('not_found', `There is no ${request.method} ${pathOf(request)} here.`), request, reply);
      return reply;
    });
  }

  /** Listens; returns the address. Throws what the socket throws when the port is taken. */
  async listen(fastify: FastifyInstance, port: number): Promise<string> {
    const server = createServer((request, response) => fastify.routing(request, response));
    server.on('connection', (socket) => this.#sockets.add(socket));
    server.listen(port, '0.0.0.0');
    await once(server, 'listening');
    this.#stop = async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    };
    const address = server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : port}`;
  }

  /** Stops listening at once: nobody's order waits here. */
  close(): Promise<void> {
    return this.#stop();
  }
}
