import pg from 'pg';
import { KEEP_ALIVE, watchConnection } from './connection-watch.js';

/** How soon a lost LISTEN connection is opened anew. Until then the listener's own poll serves. */
const RECONNECT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Calls `onNotify` for every NOTIFY on `channel`, over a connection of its own (never through a pooler). Reconnects for
 * ever; notifications sent meanwhile are lost, so it wakes sleepers and never carries facts.
 */
export function listen(url: string, channel: string, onNotify: () => void, onError: (error: Error) => void): { close(): Promise<void> } {
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  const connect = async (): Promise<void> => {
    const next = new pg.Client({
      connectionString: url,
      ...KEEP_ALIVE,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      application_name: 'oncepay listen',
    });
    client = next;
    let retrying = false;
    const retry = (error: Error): void => {
      if (closed || retrying) return;
      retrying = true;
      onError(error);
      next.end().catch(onError);
      timer = setTimeout(() => void connect(), RECONNECT_MS);
    };
    next.on('error', retry);
    next.on('end', () => retry(new Error('the LISTEN connection ended')));
    next.on('notification', onNotify);
    try {
      await next.connect();
      await next.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
      watchConnection(next);
      onNotify();
    } catch (error) {
      retry(error instanceof Error ? error : new Error(String(error)));
    }
  };
  void connect();
  return {
    close: async () => {
      closed = true;
      if (timer) clearTimeout(timer);
      await client?.end();
    },
  };
}
