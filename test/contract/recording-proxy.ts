import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** One request and its answer, as they crossed the wire. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly authorization: string;
  readonly form: string;
  readonly status: number;
  readonly answer: string;
}

export interface RecordingProxy {
  readonly url: string;
  readonly port: number;
  /** Everything so far, in the order of the answers. */
  readonly exchanges: readonly Exchange[];
  close(): Promise<void>;
}

/** Stands before an HTTP server, hands everything through unchanged, and keeps a copy. */
export async function recordingProxyTo(target: string): Promise<RecordingProxy> {
  const exchanges: Exchange[] = [];
  const server = createServer((asked, answering) => {
    void (async () => {
      const { method = 'GET', url = '/', headers } = asked;
      const form = await buffer(asked);
      const forwarded = request(new URL(url, target), { method, headers });
      forwarded.end(form);
      const [answered] = (await once(forwarded, 'response')) as [IncomingMessage];
      const answer = await buffer(answered);
      const { pathname, search } = new URL(url, target);
      exchanges.push({
        method,
        path: pathname,
        query: search.slice(1),
        authorization: headers.authorization ?? '',
        form: form.toString(),
        status: answered.statusCode ?? 0,
        answer: answer.toString(),
      });
      answering.writeHead(answered.statusCode ?? 502, answered.headers).end(answer);
    })().catch((error: Error) => answering.destroy(error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    exchanges,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
