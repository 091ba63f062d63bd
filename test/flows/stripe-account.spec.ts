import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ConfigError, loadConfig } from '#libs/config';
import { createLogger } from '#libs/telemetry';
import { startApi } from '../../apps/api/src/api.js';
import { type RunningWorker, startWorker } from '../../apps/worker/src/worker.js';
import { assertRulesHold } from '../support/invariants.js';
import { journalOf } from '../support/payment-facts.js';
import { queueSettings } from '../support/queue-backend.js';
import { type Stack, startStack } from '../support/stack.js';

const logger = createLogger('test', 'silent');

let stack: Stack;
let folder: string;
let accountId: string;
let queue: Readonly<Record<string, string>>;

/** The configuration of a process on the stack's database, with another key. */
const configOf = (secretKey: string, env: Readonly<Record<string, string>> = {}): ReturnType<typeof loadConfig> =>
  loadConfig({
    DATABASE_URL: stack.database.url,
    PORT: '0',
    STRIPE_SECRET_KEY: secretKey,
    STRIPE_WEBHOOK_SECRETS: stack.webhookSecret,
    STRIPE_API_BASE: stack.simulatorUrl,
    ONCEPAY_INSTANCE: 'tests',
    ...queue,
    ...env,
  });

/** Whether a start was refused for a configuration that is wrong in this way. */
const refusal =
  (pattern: RegExp) =>
  (error: unknown): true => {
    assert.ok(error instanceof ConfigError, String(error));
    assert.match(error.message, pattern);
    return true;
  };

/** What the key has changed at Stripe, or tried to. */
async function writesBy(secretKey: string): Promise<number> {
  return (await journalOf(stack, `kind=request&account=${secretKey}`)).filter(({ method }) => method === 'POST').length;
}

describe('the database remembers whose record it is', () => {
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'oncepay-account-'));
    stack = await startStack({ stateFile: join(folder, 'simulator.json') });
    queue = await queueSettings();
    accountId = (await stack.stripe.accounts.retrieveCurrent()).id;
  });
  after(async () => {
    await stack.close();
    rmSync(folder, { recursive: true });
  });

  it('from the first start on: mode, account and instance', async () => {
    assert.deepEqual(await stack.database.query('SELECT mode, instance, stripe_account_id FROM stripe_account'), [
      { mode: 'test', instance: 'tests', stripe_account_id: accountId },
    ]);
  });

  it('a worker with a key that is known here asks nobody and waits for nothing', async () => {
    await stack.stopWorker();
    const asked = async (): Promise<number> =>
      (await journalOf(stack, `kind=request&account=${stack.stripeKey}`)).filter(({ path }) => path === '/v1/account').length;
    const before = await asked();
    assert.ok(before > 0);
    await stack.control('/_sim/faults', { route: 'GET /v1/account', action: 'error', status: 503 });
    const { id } = await stack.order();
    await stack.startWorker();
    await stack.orderIn(id, 'paid');
    assert.equal(await asked(), before);
    await stack.control('/_sim/faults', undefined, 'DELETE');
  });

  it('a worker with a key of another account does not start, and names both', async () => {
    await assert.rejects(
      startWorker(configOf('sk_test_of_another_account'), logger),
      refusal(new RegExp(`belongs to the Stripe account acct_\\w+, but this database is the record of ${accountId}`)),
    );
    assert.equal(await writesBy('sk_test_of_another_account'), 0);
  });

  it('neither API nor worker starts with a key of the other mode', async () => {
    const live = configOf('sk_live_of_the_same_account', { STRIPE_API_BASE: 'https://127.0.0.1:1' });
    await assert.rejects(startApi(live, logger), refusal(/live mode, but this database is the record of a Stripe account in test mode/));
    await assert.rejects(startWorker(live, logger), refusal(/live mode, but this database is the record of a Stripe account in test mode/));
  });

  it('a key that may not ask whose it is starts, and holds nothing else back', async () => {
    await stack.control('/_sim/faults', { route: 'GET /v1/account', action: '403', account: 'sk_test_restricted', count: 1 });
    const restricted = await startWorker(configOf('sk_test_restricted'), logger);
    await restricted.close();
    assert.deepEqual(await stack.database.query('SELECT state FROM breakers WHERE cause IS NOT NULL'), []);
  });

  it('a worker that starts while Stripe is away lets no call pass until it has learned that the account is ours', async () => {
    await stack.stopWorker();
    await stack.stopSimulator();
    const { id } = await stack.order();
    let other: RunningWorker | null = null;
    try {
      other = await startWorker(configOf('sk_test_of_another_account'), logger);
      await stack.startSimulator();
      await assert.rejects(other.refused, refusal(/belongs to the Stripe account/));
      assert.equal(await writesBy('sk_test_of_another_account'), 0);
    } finally {
      await other?.close();
    }
    await stack.stopSimulator();
    await Promise.all([stack.startWorker(), stack.startSimulator()]);
    await stack.orderIn(id, 'paid');
  });

  it('and keeps the rules', () => assertRulesHold(stack));
});
