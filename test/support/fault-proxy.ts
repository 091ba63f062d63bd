import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A way over TCP to something, on which a test decides what becomes of the bytes. It starts open. */
export interface FaultProxy {
  /** On 127.0.0.1; stays the same whatever happens. */
  readonly port: number;
  /** Lets everything through again, after any of the others. A connection that went silent stays so: nobody resends what was lost. */
  pass(): Promise<void>;
  /**
   * Swallows every byte both ways and tells no side when the other goes; new connections are taken and stay silent too.
   * So looks a host that was switched off, or a firewall that forgot a connection.
   */
  blackhole(): void;
  /** Holds back each piece, either way, for this long. */
  delay(ms: number): void;
  /** Breaks every connection there is by a reset. New ones pass as before. */
  reset(): void;
  /** Breaks every connection and refuses new ones: nothing listens any more. */
  refuse(): Promise<void>;
  /** The next piece towards the target that contains `text` arrives there, but its connection breaks before the answer. */
  loseNextAnswerTo(text: string): void;
  /** How many pieces have come for the target so far, of all connections: of a database, about one a statement. */
  piecesSent(): number;
  close(): Promise<void>;
}

/** One connection: the client's half and the target's. */
interface Pair {
  readonly halves: readonly [Socket, Socket];
  isSilent: boolean;
}

/** Listens on a free port of 127.0.0.1 and passes every connection on to `target`. */
export async function startFaultProxy(target: { readonly host: string; readonly port: number }): Promise<FaultProxy> {
  const pairs = new Set<Pair>();
  let isSilent = false;
  let delayMs = 0;
  let doomed: string | null = null;
  let piecesSent = 0;

  const server = createServer((inside) => {
    const outside = connect(target.port, target.host);
    const pair: Pair = { halves: [inside, outside], isSilent };
    pairs.add(pair);
    let answerIsLost = false;
    const pipe = (from: Socket, to: Socket, onData: (piece: Buffer) => boolean): void => {
      let last = Promise.resolve();
      // Pieces leave in the order they came, also when the delay changes between them.
      const inTurn = (then: () => void): void => {
        const dueAt = performance.now() + delayMs;
        const isHeld = delayMs > 0;
        last = last.then(() => (isHeld ? sleep(Math.max(0, dueAt - performance.now())) : undefined)).then(then);
      };
      from.on('error', () => undefined);
      from.on('data', (piece) => {
        if (!pair.isSilent && onData(piece)) inTurn(() => to.write(piece));
      });
      from.on('close', () => {
        if (pair.isSilent) return;
        inTurn(() => {
          pairs.delete(pair);
          to.destroy();
        });
      });
    };
    pipe(inside, outside, (piece) => {
      piecesSent += 1;
      if (doomed !== null && piece.includes(doomed)) {
        doomed = null;
        answerIsLost = true;
      }
      return true;
    });
    pipe(outside, inside, () => {
      // What answers only when it has done its work has done it now.
      if (answerIsLost) inside.destroy();
      return !answerIsLost;
    });
  });

  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const breakAll = (how: (socket: Socket) => void): void => {
    for (const { halves } of pairs) halves.forEach(how);
    pairs.clear();
  };
  const refuse = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    breakAll((socket) => socket.destroy());
    await closed;
  };
  await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('bug: the proxy has no port');
  return {
    port: address.port,
    pass: async () => {
      isSilent = false;
      delayMs = 0;
      if (!server.listening) await listen(address.port);
    },
    blackhole: () => {
      isSilent = true;
      for (const pair of pairs) pair.isSilent = true;
    },
    delay: (ms) => {
      delayMs = ms;
    },
    reset: () => breakAll((socket) => socket.resetAndDestroy()),
    refuse,
    loseNextAnswerTo: (text) => {
      doomed = text;
    },
    piecesSent: () => piecesSent,
    close: refuse,
  };
}
