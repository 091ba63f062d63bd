import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { parseApiKey } from '../../apps/api/src/callers/api-key.js';
import { startSimulator } from '../../apps/stripe-simulator/src/simulator.js';
import { call } from '../support/http-client.js';
import { waitFor } from '../support/wait-for.js';
import { launch, type Launcher } from './launcher.js';

const ANY_PORTS = { PORT: '0', SIMULATOR_PORT: '0' };
const STRIPE_KEY = 'sk_test_oncepay';
const REPOSITORY = resolve(import.meta.dirname, '../../..');
const CLIENT = join(REPOSITORY, 'clients/typescript');
const TSC = join(REPOSITORY, 'node_modules/typescript7/bin/tsc');
const TYPED = `
import { Oncepay, type OrderStatus, ProblemError } from '@oncepay/client';
const oncepay = new Oncepay({ baseUrl: 'http://localhost', apiKey: 'oncepay_pk_test_1' });
const { order } = await oncepay.checkout({ currency: 'usd', items: [{ price: 'mug', quantity: 1 }] });
const status: OrderStatus = order.status;
// @ts-expect-error there is no such status
if (status === 'payed') throw new Error();
// @ts-expect-error an order needs items
await oncepay.checkout({ currency: 'usd' });
// @ts-expect-error there is no such code
if (new Error() instanceof ProblemError && (new Error() as ProblemError).code === 'broken') throw new Error();
`;

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

  describe('again, on taken ports', () => {
    let taken: readonly (Server | undefined)[] = [];
    let launcher: Launcher;
    let apiUrl = '';
    let key = '';
    before(async () => {
      taken = await Promise.all([occupy(3_000), occupy(12_111)]);
      launcher = launch(folder);
      await launcher.printed(/ready in/);
      apiUrl = await launcher.printed(/API docs +(http:\S+)\/docs/);
      key = await launcher.printed(/secret key +(oncepay_sk_test_\w+)/);
    });
    after(() => {
      launcher.child.kill('SIGKILL');
      for (const server of taken) server?.close();
    });

    async function assertPaid(id: unknown): Promise<void> {
      await waitFor(
        'the order to be paid',
        async () => (await call(`${apiUrl}/v1/orders/${String(id)}`, { key })).json['status'] === 'paid',
      );
    }

    it('moves to others and keeps what the start before left', async () => {
      const simulatorUrl = await launcher.printed(/Stripe +(http:\S+)\/_sim/);
      assert.match(launcher.output(), /Port 3000 is taken: the API listens on 3\d+/);
      assert.match(launcher.output(), /Port 12111 is taken: the Stripe simulator listens on 12\d+/);
      const kept = await call(`${apiUrl}/v1/orders/${firstOrder}`, { key });
      assert.deepEqual([kept.status, kept.json['status']], [200, 'paid']);
      const intents = await call(`${simulatorUrl}/v1/payment_intents`, { key: STRIPE_KEY });
      assert.equal((intents.json['data'] as unknown[]).length, 2, 'the first demo order and the second');
    });

    it('takes the first request of the README as written', { skip: !hasCurl() && 'there is no curl' }, async () => {
      const request = codeIn('README.md', /```sh\n(export ONCEPAY_KEY[^]*?)```/)
        .replace('./.oncepay', folder)
        .replace('http://localhost:3000', apiUrl);
      const [first, again] = [await run(room, 'sh', ['-c', request]), await run(room, 'sh', ['-c', request])];
      assert.match(first, /^HTTP\/1\.1 201 Created\r\n[^]*"amount":4300,/);
      assert.match(again, /^HTTP\/1\.1 201 Created\r\n[^]*^idempotency-replayed: true\r$/m);
      assert.equal(again.split('\r\n\r\n')[1], first.split('\r\n\r\n')[1]);
      await assertPaid(/"id":"(ord_\w+)"/.exec(first)?.[1]);
    });

    it('sells to the client, packed and installed in an empty project, by the example of its README as written', async () => {
      const project = join(room, 'empty');
      mkdirSync(project);
      const [packed] = JSON.parse(await run(CLIENT, 'npm', ['pack', '--json', '--silent', '--pack-destination', project]));
      const files: readonly string[] = packed.files.map(({ path }: { path: string }) => path);
      assert.deepEqual(files.filter((path) => !/^dist\/(\w[\w/-]*)(\.d\.ts|\.js)$/.test(path)).sort(), ['LICENSE', 'README.md', 'package.json']); // prettier-ignore
      writeFileSync(join(project, 'package.json'), '{}');
      await run(project, 'npm', ['install', '--offline', '--no-audit', '--no-fund', `./${packed.filename}`]);
      const example = codeIn('clients/typescript/README.md', /```js\n([^]*?)```/);
      writeFileSync(join(project, 'example.mjs'), example);
      const printed = await run(project, process.execPath, ['example.mjs'], { ONCEPAY_URL: apiUrl, ONCEPAY_KEY: key });
      assert.match(printed, /^ord_\w+ is paid: 4000 eur\n$/);

      // Its types are those of the API: what no order can be, the compiler says.
      writeFileSync(join(project, 'typed.mts'), TYPED);
      const options = ['--noEmit', '--strict', '--skipDefaultLibCheck', '--module', 'nodenext', '--lib', 'es2022,dom'];
      await run(project, process.execPath, [TSC, ...options, 'typed.mts']);
    });

    it('replaces what is killed', async () => {
      for (const name of ['worker', 'stripe-simulator', 'api']) kill(launcher.processes(), name);
      await launcher.printed(/The API was ended by SIGKILL[^]*Starting the API again/);
      await waitFor('the API to be back', async () => (await call(`${apiUrl}/health/ready`)).status === 200);
      const order = await call(`${apiUrl}/v1/orders`, { key, idempotencyKey: 'after-the-kill', body: anOrder() });
      assert.equal(order.status, 201, order.text);
      await assertPaid(order.json['id']);

      process.kill(Number.parseInt(readFileSync(join(folder, 'pg/postmaster.pid'), 'utf8'), 10), 'SIGKILL');
      await launcher.printed(/The database was ended by SIGKILL[^]*Starting the database again/);
      const late = await waitFor('an order to be taken by the database that replaced it', async () => {
        const answer = await call(`${apiUrl}/v1/orders`, { key, idempotencyKey: 'after-the-database', body: anOrder() });
        return answer.status === 201 && answer;
      });
      await assertPaid(late.json['id']);
    });

    it('stops at Ctrl-C and leaves nothing running', async () => {
      process.kill(-(launcher.child.pid ?? 0), 'SIGINT');
      assert.equal(await launcher.ended(), 0, launcher.output());
      await nothingRemains(launcher);
    });
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

/** The part of a page that its readers are to copy. */
function codeIn(page: string, pattern: RegExp): string {
  return pattern.exec(readFileSync(join(REPOSITORY, page), 'utf8'))?.[1] ?? assert.fail(`${page} has no ${pattern}`);
}

async function run(cwd: string, command: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, {
    cwd,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
  });
  return stdout;
}

function hasCurl(): boolean {
  try {
    execFileSync('curl', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

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
  // API and worker run as one file each: their modules take a second more to load.
  const program = name === 'stripe-simulator' ? `/apps/${name}/src/main.js` : `/${name}.cjs`;
  const line = processes.find((candidate) => candidate.includes(` ${process.execPath} `) && candidate.includes(program));
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
