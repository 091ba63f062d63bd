import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Below the ports that systems give outgoing connections, of which one may be made at any moment. */
const LOWEST = 20_000;
const HIGHEST = 32_000;
/** A process takes as many at once; few need more than that. */
const BLOCK = 40;

let left: number[] = [];
let taking: Promise<void> | null = null;

/**
 * A port of 127.0.0.1 on which nobody listens. No process that asks here is given one that another has been given, as long as that
 * one lives: between the answer and the use of a port, or while what listens there is started anew, it is nobody else's.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = left.shift();
    if (port === undefined) {
      taking ??= takeBlock().finally(() => (taking = null));
      await taking;
    } else {
      const probe = await listenOn(port);
      if (probe === null) continue;
      probe.close();
      await once(probe, 'close');
      return port;
    }
  }
}

/** A block is whose listens on its first port: the system gives it back however that process ends. */
async function takeBlock(): Promise<void> {
  for (;;) {
    const first = LOWEST + randomInt((HIGHEST - LOWEST) / BLOCK) * BLOCK;
    const mark = await listenOn(first);
    if (mark === null) continue;
    mark.on('connection', (socket) => socket.destroy()).unref();
    left = Array.from({ length: BLOCK - 1 }, (_, index) => first + 1 + index);
    return;
  }
}

/** null where somebody listens already. */
async function listenOn(port: number): Promise<Server | null> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return null;
    throw error;
  }
}
