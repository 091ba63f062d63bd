import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { Database } from '#libs/database';
import { JobQueues } from '#libs/jobs';
import { systemClock, systemEntropy } from '#libs/primitives';
import { createLogger } from '#libs/telemetry';
import { Loop } from '../../apps/worker/src/loop.js';
import { startSweeper } from '../../apps/worker/src/sweeper.js';
import { freePort } from '../../tools/free-port.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { queueSettings } from '../support/queue-backend.js';

/** By how many seconds an event is overdue, and how long ago it was queued again. */
interface Lateness {
  readonly overdue: number;
  readonly swept?: number;
}

const logger = createLogger('test', 'silent');

let testDatabase: TestDatabase;
let database: Database;
/** Nobody takes its jobs. */
let queues: JobQueues;

before(async () => {
  testDatabase = await freshDatabase();
  database = new Database({ url: testDatabase.url, behindPooler: false, onError: assert.fail });
  queues = openQueues((await queueSettings())['REDIS_URL'] ?? null);
});
after(async () => {
  await Promise.all([queues.close(), database.close()]);
  await testDatabase.drop();
});
beforeEach(() => testDatabase.query('TRUNCATE webhook_events, outbox'));

function openQueues(redisUrl: string | null): JobQueues {
  return new JobQueues({ redisUrl, databaseUrl: testDatabase.url, instance: 'tests', onError: () => undefined });
}

async function lay(name: string, { overdue, swept }: Lateness): Promise<void> {
  await testDatabase.query(
    `INSERT INTO webhook_events (id, type, status, livemode, payload, received_at, next_attempt_at, swept_at)
     VALUES ($1, 'payment_intent.succeeded', 'received', false, '{}', now(), now() - make_interval(secs => $2), now() - make_interval(secs => $3))`,
    [name, overdue, swept ?? null],
  );
}

/** Lets a sweeper look once; what it has queued again. */
async function sweep(): Promise<readonly string[]> {
  const relay = new Loop(
    60_000,
    () => Promise.resolve(false),
    (error) => assert.fail(String(error)),
  );
  await startSweeper({ database, clock: systemClock, entropy: systemEntropy, logger }, queues, relay).stop();
  await relay.stop();
  const rows = await testDatabase.query<{ id: string }>(`SELECT payload ->> 'eventId' AS id FROM outbox ORDER BY 1`);
  return rows.map(({ id }) => id);
}

async function assertQueued(events: Readonly<Record<string, Lateness>>, queued: readonly string[]): Promise<void> {
  for (const [name, lateness] of Object.entries(events)) await lay(name, lateness);
  assert.deepEqual(await sweep(), queued);
}

describe('an event that is overdue', () => {
  it('is queued again after 2 s when nothing waits in the queue, and again 5 s after that', async () => {
    await assertQueued({ 'a due': { overdue: 0 }, 'b lost': { overdue: 3 } }, ['b lost']);
    assert.deepEqual(await sweep(), ['b lost'], 'at once it is not queued once more');
    await assertQueued({ 'c again': { overdue: 9, swept: 6 }, 'd queued': { overdue: 9, swept: 0 } }, ['b lost', 'c again']);
  });

  it('is queued again with all others, however many were lost at once', async () => {
    await testDatabase.query(
      `INSERT INTO webhook_events (id, type, status, livemode, payload, received_at, next_attempt_at)
       SELECT 'evt_' || n, 'payment_intent.succeeded', 'received', false, '{}', now(), now() - interval '3 seconds' FROM generate_series(1, 450) AS n`,
    );
    assert.equal((await sweep()).length, 450);
  });

  describe('while jobs wait in the queue', () => {
    before(async () => {
      await queues.add([{ id: crypto.randomUUID(), kind: 'webhook-event', payload: { eventId: 'evt_first' } }]);
    });

    it('is taken to stand in the line for 5 s', async () => {
      await assertQueued({ 'a in line': { overdue: 2 }, 'b lost': { overdue: 6 } }, ['b lost']);
    });

    it('is queued again when it has waited as long again as when it was before', async () => {
      const events = {
        'a waited 5, then 6': { overdue: 11, swept: 6 },
        'b waited 10, then 12': { overdue: 22, swept: 12 },
        'c waited 20, then 12': { overdue: 32, swept: 12 },
        'd waited 2, then 3': { overdue: 5, swept: 3 },
      };
      await assertQueued(events, ['a waited 5, then 6', 'b waited 10, then 12']);
    });
  });
});

it('a queue that is away counts as one with a line, which nobody waits for', async () => {
  const away = openQueues(`redis://127.0.0.1:${await freePort()}`);
  const hasLine = await away.hasLine('webhook-events');
  await away.close();
  assert.equal(hasLine, true);
});
