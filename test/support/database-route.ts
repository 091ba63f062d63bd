import { type FaultProxy, startFaultProxy } from './fault-proxy.js';

/** A way to a database that a test can close, and on which it can lose an answer. */
export interface DatabaseRoute extends FaultProxy {
  /** The database's URL by this way. */
  readonly url: string;
}

/** Lays a way to the database at `url`, open. */
export async function routeTo(url: string): Promise<DatabaseRoute> {
  const target = new URL(url);
  const proxy = await startFaultProxy({ host: target.hostname, port: Number(target.port) });
  const way = new URL(url);
  way.hostname = '127.0.0.1';
  way.port = String(proxy.port);
  return { ...proxy, url: way.href };
}
