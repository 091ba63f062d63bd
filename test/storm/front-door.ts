import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** The one address of several API processes, as a load balancer gives it to clients and to Stripe. */
export interface FrontDoor {
  readonly url: string;
  /** Breaks the next so many connections when the answer to a request begins: it was carried out, nobody hears of it. */
  loseAnswers(count: number): void;
  /** Breaks every connection there is. */
  reset(): void;
  /** How many answers were lost. */
  readonly lost: number;
  heal(): void;
  close(): Promise<void>;
}

/** Passes connections on to the ports in turn; to the next one where nobody listens. */
export async function openFrontDoor(ports: readonly number[]): Promise<FrontDoor> {
  const pairs = new Set<Socket>();
  let turn = 0;
  let toLose = 0;
  let lost = 0;

  const pass = (inside: Socket, tries: number): void => {
    const port = ports[turn++ % ports.length];
    if (port === undefined || inside.destroyed) return;
    const outside = connect(port, '127.0.0.1');
    let isConnected = false;
    outside.on('connect', () => {
      isConnected = true;
      outside.on('data', (piece) => {
        if (toLose > 0) {
          toLose -= 1;
          lost += 1;
          inside.resetAndDestroy();
          outside.destroy();
        } else if (!inside.write(piece)) {
          outside.pause();
          inside.once('drain', () => outside.resume());
        }
      });
      inside.on('data', (piece: Buffer) => outside.write(piece));
      inside.resume();
    });
    outside.on('error', () => undefined);
    outside.on('close', () => {
      if (isConnected || tries <= 1) inside.destroy();
      else pass(inside, tries - 1);
    });
    inside.on('close', () => outside.destroy());
  };

  const server = createServer({ pauseOnConnect: true }, (inside) => {
    pairs.add(inside);
    inside.on('error', () => undefined);
    inside.on('close', () => pairs.delete(inside));
    pass(inside, ports.length);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('bug: the front door has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    loseAnswers: (count) => {
      toLose += count;
    },
    reset: () => {
      for (const socket of pairs) socket.resetAndDestroy();
    },
    get lost() {
      return lost;
    },
    heal: () => {
      toLose = 0;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of pairs) socket.destroy();
      await closed;
    },
  };
}
