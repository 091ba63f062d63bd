import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Chance } from './chance.js';
import { type Answer, type Attempt, type Command, type History } from './history.js';
import { type HttpAnswer, jsonOf, request } from './requests.js';
import { ACCOUNTS, type AccountNumber } from './secrets.js';

/** After these the same request is sent again: nothing was decided. */
const TRANSIENT = ['idempotency_key_in_progress', 'operation_in_progress'];
/** An operation under way may last as long as Stripe is away: whoever waits for it gives up some time, without harm. */
const PATIENCE_WITH_OPERATIONS = 10;
const WAIT_MS = 150;
const WAIT_MS_MAX = 2_000;

/** A merchant's program: it records every request before it is sent, and repeats it unchanged until it is answered. */
export class Client {
  /** Set when the storm is over and its last requests should have been answered. */
  gaveUpAfter = Number.POSITIVE_INFINITY;

  constructor(
    private readonly url: string,
    private readonly history: History,
    private readonly chance: Chance,
  ) {}

  /** Sends a command until it is answered; gives the answer's body, or null when it was refused or never answered. */
  async command(spec: Parameters<History['begin']>[0]): Promise<Record<string, unknown> | null> {
    return this.repeat(this.history.begin(spec));
  }

  /** Goes on with a command that has been recorded. */
  async repeat(command: Command): Promise<Record<string, unknown> | null> {
    for (let tries = 0, patience = PATIENCE_WITH_OPERATIONS; ; tries += 1) {
      const seen = await this.once(command);
      if (seen !== null && seen.status < 300) return jsonOf(seen.text);
      const code = seen === null ? null : jsonOf(seen.text)['code'];
      const isTransient = seen === null || seen.status >= 500 || seen.status === 429 || TRANSIENT.includes(String(code));
      if (code === 'operation_in_progress' && (patience -= 1) <= 0) return null;
      if (!isTransient || Date.now() > this.gaveUpAfter) return null;
      await sleep(Math.min(WAIT_MS_MAX, WAIT_MS * 2 ** Math.min(tries, 6)) * (0.5 + this.chance.next() / 2));
    }
  }

  /** Sends a command's request once more and records what came back. */
  async once(command: Command): Promise<HttpAnswer | null> {
    const { attempt, seen } = await this.#attempt(command, command.body);
    command.attempts.push(attempt);
    return seen;
  }

  /** Sends another request under the key of an acknowledged command. */
  async otherRequest(command: Command, body: string): Promise<void> {
    command.otherRequests.push((await this.#attempt(command, body)).attempt);
  }

  /** Reads something; null when there was no answer. */
  async read(path: string, account: AccountNumber): Promise<HttpAnswer | null> {
    return request(`${this.url}${path}`, { headers: { Authorization: `Bearer ${ACCOUNTS[account].secret}` } }).catch(() => null);
  }

  /** Sends something that is no command of a merchant on an order of theirs, and is not recorded; null when there was no answer. */
  async post(path: string, account: AccountNumber, { body, key }: { body?: string; key?: string } = {}): Promise<HttpAnswer | null> {
    const headers = {
      Authorization: `Bearer ${ACCOUNTS[account].secret}`,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(key === undefined ? {} : { 'Idempotency-Key': key }),
    };
    return request(`${this.url}${path}`, { method: 'POST', headers, ...(body === undefined ? {} : { body }) }).catch(() => null);
  }

  /** Sets a price, as a merchant does before there are buyers. */
  async putPrice(id: string, unitAmount: number, account: AccountNumber): Promise<void> {
    const body = JSON.stringify({ name: 'T-shirt', currency: 'usd', unitAmount });
    const headers = { Authorization: `Bearer ${ACCOUNTS[account].secret}`, 'Content-Type': 'application/json' };
    const { status, text } = await request(`${this.url}/v1/prices/${id}`, { method: 'PUT', headers, body });
    if (status !== 200) throw new Error(`the price was refused: ${text}`);
  }

  async #attempt({ account, audience, key, path }: Command, body: string): Promise<{ attempt: Attempt; seen: HttpAnswer | null }> {
    const invokedAt = Date.now();
    const headers = {
      Authorization: `Bearer ${ACCOUNTS[account][audience]}`,
      'Content-Type': 'application/json',
      'Idempotency-Key': key,
    };
    const seen = await request(`${this.url}${path}`, { method: 'POST', headers, body }).catch(() => null);
    return { attempt: { invokedAt, endedAt: Date.now(), answer: seen === null ? null : recorded(seen) }, seen };
  }
}

function recorded({ status, headers, text }: HttpAnswer): Answer {
  const { code } = status < 300 ? { code: null } : jsonOf(text);
  return {
    status,
    digest: createHash('sha256').update(text).digest('hex'),
    location: headers.location ?? null,
    isReplay: headers['idempotency-replayed'] === 'true',
    code: typeof code === 'string' ? code : null,
  };
}
