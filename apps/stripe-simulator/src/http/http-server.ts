import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Exchange, json, readExchange, send } from './exchange.js';

/** Longer than clients keep their idle connections, so that it is never this side that closes under a request. */
const KEEP_ALIVE_MS = 120_000;

export interface HttpServer {
  port: number;
  close(): Promise<void>;
}

/** Serves every request through `answer`. Rejects when the port cannot be had. */
export async function listen(where: { host: string; port: number }, answer: (exchange: Exchange) => Promise<void>): Promise<HttpServer> {
  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_MS, noDelay: true },
    (request, response) => void serve(request, response, answer),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(where.port, where.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  return { port, close: () => closeServer(server) };
}

async function serve(request: IncomingMessage, response: ServerResponse, answer: (exchange: Exchange) => Promise<void>): Promise<void> {
  try {
    await answer(await readExchange(request, response));
  } catch (error) {
    // A caller that went away while sending is no failure of ours.
    if (request.destroyed && !request.complete) return;
    console.error(error);
    if (response.headersSent) response.destroy();
    else send({ response } as Exchange, json(500, { error: { type: 'api_error', message: `The simulator failed: ${String(error)}` } }));
  }
}

async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    // Held requests (hangs, delays) would keep the server open for ever.
    server.closeAllConnections();
  });
}
