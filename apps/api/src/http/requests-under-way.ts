import { type Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * To Node a connection that has sent nothing yet is busy, and it would be waited for without end. One that was opened
 * for a request has sent it within this time.
 */
const SILENT_MS = 1_000;

/** Counts the requests that a server is answering. */
export class RequestsUnderWay {
  #count = 0;
  #allAnswered: (() => void) | null = null;

  constructor(server: Server) {
    server.on('request', (_request, response) => {
      this.#count += 1;
      response.once('close', () => {
        this.#count -= 1;
        if (this.#count === 0) this.#allAnswered?.();
      });
    });
  }

  /** Resolves when every request is answered and none has come for a moment. */
  async end(): Promise<void> {
    do {
      if (this.#count > 0) await new Promise<void>((resolve) => (this.#allAnswered = resolve));
      await delay(SILENT_MS, undefined, { ref: false });
    } while (this.#count > 0);
  }
}
