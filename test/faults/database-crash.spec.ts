import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { migrate, MIGRATIONS_FOLDER } from '#libs/database';
import { migrateQueue } from '#libs/jobs';
import { type Answer } from '../support/http-client.js';
import { assertRulesHold } from '../support/invariants.js';
import { everythingListens } from '../support/listeners.js';
import { assertProblem } from '../support/problem.js';
import { AN_ORDER, type Stack, startStack } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';
import { PostgresServer } from '../storm/postgres-server.js';

const CLIENTS = 4;
/** So that there are not more orders than a busy machine can pay for. */
const BETWEEN_ORDERS_MS = 50;

let folder: string;
let server: PostgresServer;
let stack: Stack;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'oncepay-crash-'));
  server = await PostgresServer.open(join(folder, 'pg'), 'unasked');
  const database = {
    url: server.url,
    query: <R extends object>(sql: string, params?: readonly unknown[]) => server.query<R>(sql, params),
    drop: () => server.crash(),
  };
  await migrate(server.url, MIGRATIONS_FOLDER);
  await migrateQueue(server.url);
  stack = await startStack({ database });
});
after(async () => {
  await stack.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A request as it was sent, and every answer to it. */
interface Sent {
  readonly key: string;
  readonly answers: Answer[];
}

const send = (key: string): Promise<Answer> => stack.call('/v1/orders', { idempotencyKey: key, body: AN_ORDER });

/** Merchants who send one order after another, each until it is acknowledged, as long as `goesOn`. */
async function merchants(goesOn: () => boolean): Promise<readonly Sent[]> {
  const all: Sent[] = [];
  const merchant = async (): Promise<void> => {
    while (goesOn()) {
      const sent: Sent = { key: crypto.randomUUID(), answers: [] };
      all.push(sent);
      while (sent.answers.at(-1)?.status !== 201) sent.answers.push(await send(sent.key));
      await sleep(BETWEEN_ORDERS_MS);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, merchant));
  return all;
}

function assertUnavailable(answer: Answer): void {
  assertProblem(answer, 503, 'unavailable');
  assert.match(answer.headers.get('Retry-After') ?? '', /^[1-9]\d*$/);
}

async function faulty(stop: () => Promise<void>): Promise<void> {
  await everythingListens(stack.database);
  let goesOn = true;
  const sending = merchants(() => goesOn);
  await waitFor('orders to come in', async () => (await stack.database.query('SELECT 1 FROM orders LIMIT 1')).length === 1);
  await stop();
  await waitFor('the API to be refused', async () => (await stack.call('/health/ready')).status === 503);
  const without = await send(crypto.randomUUID());
  assertUnavailable(without);
  await server.start();
  await waitFor('orders to be taken again', async () => (await send(crypto.randomUUID())).status === 201);
  goesOn = false;

  const all = await sending;
  for (const { key, answers } of all) {
    for (const answer of answers.slice(0, -1)) assertUnavailable(answer);
    const [acknowledged, again] = [answers.at(-1), await send(key)];
    assert.deepEqual([again.status, again.text], [acknowledged?.status, acknowledged?.text]);
    await stack.orderIn(String(again.json['id']), 'paid');
  }
  await everythingListens(stack.database);
}

describe('a PostgreSQL', () => {
  it('that crashes loses nothing that was acknowledged, is answered for by 503s that say when to come again, and is listened to again', () =>
    faulty(() => server.crash()));

  it('that is restarted is no different', () => faulty(() => server.stop()));

  it('whose connections are all taken is answered for in the same way', async () => {
    const holder = new pg.Client({ connectionString: server.url });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
    const keys = Array.from({ length: 12 }, () => crypto.randomUUID());
    const answers = await Promise.all(keys.map(send));
    await holder.end();
    for (const answer of answers) assertUnavailable(answer);
    await Promise.all(
      keys.map(async (key) => {
        const again = await waitFor('the order to be taken', async () => {
          const answer = await send(key);
          return answer.status === 201 && answer;
        });
        await stack.orderIn(String(again.json['id']), 'paid');
      }),
    );
  });

  it('that has been through all of it holds what the rules say', () => assertRulesHold(stack));
});
