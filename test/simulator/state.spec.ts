import { deepStrictEqual, match, ok, rejects, strictEqual } from 'node:assert';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../support/wait-for.js';
import { harnessOf, NO_REDIRECTS, receiveWebhooks, simulate } from './harness.js';
import { startSimulator } from '../../apps/stripe-simulator/src/simulator.js';

const folder = mkdtempSync(path.join(tmpdir(), 'simulator-'));
after(() => rmSync(folder, { recursive: true }));
const MAIN = fileURLToPath(new URL('../../apps/stripe-simulator/src/main.js', import.meta.url));
const PAID = { amount: 2000, currency: 'usd', automatic_payment_methods: NO_REDIRECTS, confirm: true, payment_method: 'pm_card_visa' };

/** The simulator as a process of its own, and where it listens. */
async function spawnSimulator(env: Record<string, string>): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [MAIN], { env: { PATH: process.env['PATH'], SIMULATOR_PORT: '0', ...env }, stdio: 'pipe' });
  after(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const url = await waitFor('the simulator to listen', () => /http:\/\/[\d.]+:\d+/.exec(output)?.[0]);
  return { child, url };
}

describe('the state file', () => {
  it('brings everything back after a restart', async () => {
    const stateFile = path.join(folder, 'restart.jsonl');
    const first = await simulate({ stateFile });
    const stripe = first.stripe();
    const intent = await stripe.paymentIntents.create(PAID, { idempotencyKey: 'k' });
    await stripe.refunds.create({ payment_intent: intent.id, amount: 500 });
    await stripe.customers.create({ email: 'ada@example.com' });
    await first.control('/clock', { advanceSeconds: 3600 });
    const before = [await stripe.events.list(), await stripe.charges.list(), await stripe.refunds.list(), await stripe.customers.list()];
    const totals = (await first.control('/journal'))['totals'];
    await first.close();

    const second = await simulate({ stateFile });
    const again = second.stripe();
    const afterwards = [await again.events.list(), await again.charges.list(), await again.refunds.list(), await again.customers.list()];
    deepStrictEqual(
      afterwards.map(({ data }) => data),
      before.map(({ data }) => data),
    );
    deepStrictEqual((await second.control('/journal'))['totals'], totals);
    strictEqual((await second.control('/clock'))['offsetSeconds'], 3600);
    const replayed = await again.paymentIntents.create(PAID, { idempotencyKey: 'k' });
    deepStrictEqual([replayed.id, replayed.lastResponse.headers['idempotent-replayed']], [intent.id, 'true']);
  });

  it('takes up what had not been delivered and what was not yet due', async () => {
    const stateFile = path.join(folder, 'resume.jsonl');
    const receiver = await receiveWebhooks();
    receiver.status = () => 500;
    const first = await simulate({ stateFile, webhookUrl: receiver.url, webhookSecret: 'whsec_x' });
    const held = await first.stripe().paymentIntents.create({ ...PAID, capture_method: 'manual' });
    await waitFor('a first attempt', () => receiver.received.length >= 3);
    await first.close();

    receiver.status = () => 200;
    const second = await simulate({ stateFile, webhookUrl: receiver.url, webhookSecret: 'whsec_x' });
    await waitFor('the deliveries', async () => (await second.stripe().events.list({ delivery_success: false })).data.length === 0);
    await second.control('/clock', { advanceSeconds: 8 * 24 * 3600 });
    strictEqual((await second.stripe().paymentIntents.retrieve(held.id)).status, 'canceled');
  });

  it('holds every answered effect when the process is killed', async () => {
    const stateFile = path.join(folder, 'killed.jsonl');
    const first = await spawnSimulator({ SIMULATOR_STATE_FILE: stateFile });
    const stripe = harnessOf(first.url).stripe();
    const answered: string[] = [];
    const pay = async (): Promise<void> => {
      for (;;) answered.push((await stripe.paymentIntents.create(PAID)).id);
    };
    const payers = Promise.allSettled(Array.from({ length: 8 }, pay));
    await waitFor('some payments', () => answered.length >= 50);
    first.child.kill('SIGKILL');
    await payers;

    const second = await spawnSimulator({ SIMULATOR_STATE_FILE: stateFile });
    const again = harnessOf(second.url);
    const paid = new Set<string>();
    for await (const { id, status } of again.stripe().paymentIntents.list({ limit: 100 })) if (status === 'succeeded') paid.add(id);
    ok(answered.every((id) => paid.has(id)));
    const { byPaymentIntent } = (await again.control('/journal'))['totals'] as { byPaymentIntent: Record<string, { chargeCount: number }> };
    ok(answered.every((id) => byPaymentIntent[id]?.chargeCount === 1));
    second.child.kill('SIGTERM');
    deepStrictEqual(await once(second.child, 'exit'), [0, null]);
  });

  it('has every event before an endpoint is told of it, a twin too', async () => {
    const stateFile = path.join(folder, 'told.jsonl');
    const receiver = await receiveWebhooks();
    const sim = await simulate({ stateFile, webhookUrl: receiver.url, webhookSecret: 'whsec_x' });
    await sim.control('/webhooks', { action: 'twin' });
    // They are made in pairs, so an odd number lacks one that is being told.
    const written: number[] = [];
    receiver.status = () => {
      written.push(new Set(readFileSync(stateFile, 'utf8').match(/evt_\w+/g)).size);
      return 200;
    };
    for (let count = 0; count < 5; count++) await sim.stripe().customers.create({});
    await waitFor('the deliveries', () => receiver.received.length === 10);
    ok(
      written.every((count) => count % 2 === 0),
      `events on file at each arrival: ${written.join(' ')}`,
    );
  });

  it('is emptied by reset, of one account or of all', async () => {
    const stateFile = path.join(folder, 'reset.jsonl');
    const first = await simulate({ stateFile });
    await first.stripe('sk_test_a').customers.create({});
    await first.stripe('sk_test_b').customers.create({});
    await first.control('/reset', { account: 'sk_test_a' });
    await first.close();
    const second = await simulate({ stateFile });
    strictEqual((await second.stripe('sk_test_a').customers.list()).data.length, 0);
    strictEqual((await second.stripe('sk_test_b').customers.list()).data.length, 1);
    await second.control('/reset', {});
    strictEqual((await second.stripe('sk_test_b').customers.list()).data.length, 0);
  });
});

describe('the process', () => {
  it('says what is wrong with its settings, all of it', async () => {
    const env = { PATH: process.env['PATH'], SIMULATOR_PORT: 'many', SIMULATOR_WEBHOOK_URL: 'nowhere' };
    const child = spawn(process.execPath, [MAIN], { env, stdio: 'pipe' });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    strictEqual((await once(child, 'close'))[0], 1);
    match(errors, /SIMULATOR_PORT/);
    match(errors, /SIMULATOR_WEBHOOK_URL/);
    match(errors, /SIMULATOR_WEBHOOK_SECRET/);
  });

  it('says that its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await rejects(startSimulator({ port }), /EADDRINUSE/);
    other.close();
  });
});
