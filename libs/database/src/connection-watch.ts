import { type ClientBase } from 'pg';

/** Without them Linux asks after two hours whether the other side is still there; so, ten probes a second apart later, it is known. */
export const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 2_000 } as const;

const ASK_EVERY_MS = 5_000;
/** A server that is merely busy has answered by then. */
const ANSWER_WITHIN_MS = 10_000;

/**
 * Asks a connection that mostly listens whether somebody is still there, until it ends: one that was silently dropped would wait for
 * ever for what nobody sends. Without an answer it is reported lost by an `error`, as its driver does with one that was cut.
 * Returns what ends the watch.
 */
export function watchConnection(client: ClientBase): () => void {
  const lose = (): void => {
    if (client.listenerCount('error') > 0) client.emit('error', new Error('the connection does not answer'));
  };
  let isAsking = false;
  const timer = setInterval(() => {
    if (isAsking) return;
    isAsking = true;
    const late = setTimeout(lose, ANSWER_WITHIN_MS);
    late.unref();
    const answered = (): void => {
      isAsking = false;
      clearTimeout(late);
    };
    // What ends the connection is told to its owner by an error of its own.
    client.query('SELECT 1').then(answered, answered);
  }, ASK_EVERY_MS);
  timer.unref();
  const stop = (): void => {
    clearInterval(timer);
    client.off('end', stop);
  };
  client.once('end', stop);
  return stop;
}
