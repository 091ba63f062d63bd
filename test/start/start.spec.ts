import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parseApiKey } from '../../apps/api/src/callers/api-key.js';
import { startSimulator } from '../../apps/stripe-simulator/src/simulator.js';
import { call } from '../support/http-client.js';
import { waitFor } from '../support/wait-for.js';
import { launch, type Launcher } from './launcher.js';

const ANY_PORTS = { PORT: '0', SIMULATOR_PORT: '0' };
const STRIPE_KEY = 'sk_test_oncepay';

const room = mkdtempSync(join(tmpdir(), 'oncepay-start-spec-'));
const folder = join(room, 'data');
after(() => rmSync(room, { recursive: true, force: true }));

describe('npm start', { skip: !existsSync('/proc/self/environ') && 'needs /proc to see what is left running' }, () => {
  let firstOrder = '';

  it('exits 0 with --once when both sides know one charge of the right amount, and leaves nothing running', async () => {
    const launcher = launch(folder, ['--once'], ANY_PORTS);
    assert.equal(await launcher.ended(), 0, launcher.output());
    firstOrder = await launcher.printed(/order (ord_\w+)  20\.00 EUR  paid after \d+ ms/);
    assert.match(launcher.output(), /0 ms  order\.created[^]*ms  order\.paid/);
    assert.match(launcher.output(), /5 replays, 1 order\n/);
    assert.match(launcher.output(), /1 PaymentIntent, 1 successful charge \(20\.00 EUR\)\n +both sides agree/);
    await nothingRemains(launcher);
  });

  it('moves from taken ports, keeps what the start before left, replaces what is killed, and stops at Ctrl-C', async () => {
    const taken = await Promise.all([occupy(3_000), occupy(12_111)]);
    const launcher = launch(folder);
    try {
      const apiUrl = await launcher.printed(/API +(http:\S+)/);
      const simulatorUrl = await launcher.printed(/Stripe +(http:\S+)\/_sim/);
      assert.match(launcher.output(), /Port 3000 is taken: the API listens on 3\d+/);
      assert.match(launcher.output(), /Port 12111 is taken: the Stripe simulator listens on 12\d+/);

      const key = await launcher.printed(/secret key +(oncepay_sk_test_\w+)/);
      const kept = await call(`${apiUrl}/v1/orders/${firstOrder}`, { key });
      assert.deepEqual([kept.status, kept.json['status']], [200, 'paid']);
      const intents = await call(`${simulatorUrl}/v1/payment_intents`, { key: STRIPE_KEY });
      assert.equal((intents.json['data'] as unknown[]).length, 2, 'the first demo order and the second');

      for (const name of ['worker', 'stripe-simulator', 'api']) kill(launcher.processes(), name);
      await launcher.printed(/The API was ended by SIGKILL[^]*Starting the API again/);
      await waitFor('the API to be back', async () => (await call(`${apiUrl}/health/ready`)).status === 200);
      const order = await call(`${apiUrl}/v1/orders`, { key, idempotencyKey: 'after-the-kill', body: anOrder() });
      assert.equal(order.status, 201, order.text);
      await waitFor('that order to be paid', async () => {
        const { json } = await call(`${apiUrl}/v1/orders/${String(order.json['id'])}`, { key });
        return json['status'] === 'paid';
      });

      process.kill(Number.parseInt(readFileSync(join(folder, 'pg/postmaster.pid'), 'utf8'), 10), 'SIGKILL');
      await launcher.printed(/The database was ended by SIGKILL[^]*Starting the database again/);
      const late = await waitFor('an order to be taken by the database that replaced it', async () => {
        const answer = await call(`${apiUrl}/v1/orders`, { key, idempotencyKey: 'after-the-database', body: anOrder() });
        return answer.status === 201 && answer;
      });
      await waitFor('that order to be paid too', async () => {
        const { json } = await call(`${apiUrl}/v1/orders/${String(late.json['id'])}`, { key });
        return json['status'] === 'paid';
      });

      process.kill(-(launcher.child.pid ?? 0), 'SIGINT');
      assert.equal(await launcher.ended(), 0, launcher.output());
      await nothingRemains(launcher);
    } finally {
      launcher.child.kill('SIGKILL');
      for (const server of taken) server?.close();
    }
  });

  it('leaves nothing running when it is killed, and a second one on its folder is refused while it lives', async () => {
    const launcher = launch(folder, [], ANY_PORTS);
    await launcher.printed(/ok  PostgreSQL/);

    const second = launch(folder, [], ANY_PORTS);
    assert.equal(await second.ended(), 1);
    assert.match(second.output(), /Oncepay already runs on .*data/);

    await launcher.printed(/ready in/);
    launcher.child.kill('SIGKILL');
    assert.equal(await launcher.ended(), null);
    await nothingRemains(launcher);
  });

  it("exits 1 with --once when Stripe's side lacks the charge", async () => {
    const simulator = await startSimulator({ port: 0 });
    try {
      const nothing = '{"object":"list","data":[],"has_more":false,"url":"/v1/charges"}';
      await call(`${simulator.url}/_sim/faults`, { body: { route: 'GET /v1/charges', action: 'json', status: 200, body: nothing } });
      const launcher = launch(folder, ['--once'], { PORT: '0', STRIPE_API_BASE: simulator.url });
      assert.equal(await launcher.ended(), 1, launcher.output());
      assert.match(launcher.output(), /successful charges at Stripe: expected 1, found 0/);
    } finally {
      await simulator.close();
    }
  });
});

describe('npm start refuses at once', () => {
  for (const [what, env, args, message] of [
    ['a production environment', { NODE_ENV: 'production' }, [], /npm start is for development/],
    ['a demo order with a live key', { STRIPE_SECRET_KEY: 'sk_live_secret' }, ['--once'], /not with a LIVE Stripe key/],
    ['settings that are wrong, all in one list', { PORT: 'x', REDIS_URL: 'x' }, [], /2 problem[^]*PORT must[^]*REDIS_URL must/],
    ['an option it does not know', {}, ['--twice'], /--twice[^]*npm start -- --once/],
  ] as const) {
    it(what, async () => {
      const launcher = launch(join(room, 'refused'), args, { ...ANY_PORTS, ...env });
      assert.equal(await launcher.ended(), 1);
      assert.match(launcher.output(), message);
      assert.doesNotMatch(launcher.output(), /ok  PostgreSQL|sk_live_secret/);
    });
  }

  it('settings of an .env file that are wrong', async () => {
    const project = join(room, 'project');
    mkdirSync(project);
    writeFileSync(join(project, '.env'), 'ORDER_EXPIRES_AFTER_SECONDS=soon\n');
    const launcher = launch(join(project, 'data'), [], ANY_PORTS);
    assert.equal(await launcher.ended(), 1);
    assert.match(launcher.output(), /ORDER_EXPIRES_AFTER_SECONDS must/);
  });

  it('a port that was asked for and is taken, by its number', async () => {
    const port = 20_000 + (process.pid % 10_000);
    const server = await occupy(port);
    const launcher = launch(join(room, 'refused'), [], { ...ANY_PORTS, PORT: String(port) });
    assert.equal(await launcher.ended(), 1);
    assert.match(launcher.output(), new RegExp(`PORT=${port} is taken`));
    server?.close();
  });
});

describe('the keys of npm start', () => {
  it('are well-formed API keys that only their owner can read', () => {
    const file = join(folder, 'keys.json');
    const keys = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    assert.equal(parseApiKey(keys['secretKey'] ?? '')?.audience, 'secret');
    assert.equal(parseApiKey(keys['publishableKey'] ?? '')?.audience, 'publishable');
    assert.equal(statSync(file).mode & 0o077, 0);
  });
});

function anOrder(): object {
  return { currency: 'eur', items: [{ price: 'demo-tshirt', quantity: 3 }], paymentMethod: 'pm_card_visa' };
}

/** Takes a port; undefined when somebody else has it already, which is as good. */
async function occupy(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, '127.0.0.1');
  const isOurs = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  return isOurs ? server : undefined;
}

function kill(processes: string[], name: string): void {
  const line = processes.find((candidate) => candidate.includes(` ${process.execPath} `) && candidate.includes(`apps/${name}/src/main.js`));
  assert.ok(line, `there is a ${name} among ${processes.join('; ')}`);
  process.kill(Number.parseInt(line, 10), 'SIGKILL');
}

/** A killed launcher cannot wait for its processes; they see within moments that it is gone. */
async function nothingRemains(launcher: Launcher): Promise<void> {
  await waitFor('every process of the start to be gone', () => {
    const processes = launcher.processes();
    if (processes.length > 0) throw new Error(processes.join('; '));
    return true;
  });
}
