import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A way to a database that a test can close, and on which it can lose an answer. */
export interface DatabaseRoute {
  /** The database's URL by this way. */
  readonly url: string;
  /** Cuts every connection and refuses new ones: a database that is down. */
  interrupt(): Promise<void>;
  /** Opens the way again. */
  restore(): Promise<void>;
  /** The next request that contains `text` reaches the database and is carried out there, but its connection breaks before the answer. */
  loseNextAnswerTo(text: string): void;
  close(): Promise<void>;
}

/** Lays a way to the database at `url`, open. */
export async function routeTo(url: string): Promise<DatabaseRoute> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let doomed: string | null = null;

  const server = createServer((inside) => {
    const outside = connect(Number(target.port), target.hostname);
    let answerIsLost = false;
    for (const socket of [inside, outside]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        inside.destroy();
        outside.destroy();
      });
    }
    inside.on('data', (chunk) => {
      if (doomed !== null && chunk.includes(doomed)) {
        doomed = null;
        answerIsLost = true;
      }
      outside.write(chunk);
    });
    outside.on('data', (chunk) => {
      if (!answerIsLost) inside.write(chunk);
      // The database answers a statement outside a transaction only once it is committed.
      else inside.destroy();
    });
  });

  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const interrupt = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('bug: the route has no port');
  const { port } = address;
  const way = new URL(url);
  way.hostname = '127.0.0.1';
  way.port = String(port);
  return {
    url: way.href,
    interrupt,
    restore: () => listen(port),
    loseNextAnswerTo: (text) => {
      doomed = text;
    },
    close: interrupt,
  };
}
