import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { becomeDue, command, intentOf, operationIn, type OperationRow, operationsOf, refundsOf, timelineOf } from '../support/commands.js';
import { assertRulesHold } from '../support/invariants.js';
import { keepHistory } from '../support/laid-orders.js';
import { effectsOn, journalOf } from '../support/payment-facts.js';
import { assertProblem } from '../support/problem.js';
import { type OrderJson, type Stack, startStack, WITHOUT_BREAKER } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';

// What Stripe answers to create and the first confirm stands in test/flows/stripe-answers.spec.ts; here, to commands.
// What holds all calls back, as 401 does, stands in test/faults/stripe-refuses-us.spec.ts.

/** A command, the state it is given in, and what must be when it was carried out exactly once. */
interface Commanded {
  readonly order: object;
  readonly from: string;
  readonly body: object | undefined;
  readonly kind: string;
  readonly to: string;
  readonly before: readonly string[];
  readonly effects: readonly string[];
}

const COMMANDS = {
  pay: {
    order: { paymentMethod: undefined },
    from: 'requires_payment',
    body: { paymentMethod: 'pm_card_visa' },
    kind: 'confirm',
    to: 'paid',
    before: [],
    effects: ['authorized 2000 usd', 'captured 2000 usd'],
  },
  capture: {
    order: { captureMethod: 'manual' },
    from: 'authorized',
    body: { amount: 1_500 },
    kind: 'capture',
    to: 'paid',
    before: ['authorized 2000 usd'],
    effects: ['captured 1500 usd', 'released 500 usd'],
  },
  cancel: {
    order: { captureMethod: 'manual' },
    from: 'authorized',
    body: undefined,
    kind: 'cancel',
    to: 'canceled',
    before: ['authorized 2000 usd'],
    effects: ['released 2000 usd'],
  },
  refunds: {
    order: {},
    from: 'paid',
    body: { amount: 700 },
    kind: 'refund',
    to: 'partially_refunded',
    before: ['authorized 2000 usd', 'captured 2000 usd'],
    effects: ['refunded 700 usd'],
  },
} as const satisfies Record<string, Commanded>;

type Name = keyof typeof COMMANDS;

/** A command that was accepted while the worker was away, and whose way to Stripe is spoilt. */
interface Laid extends Commanded {
  readonly name: Name;
  readonly orderOf: OrderJson;
  readonly operation: OperationRow;
}

interface Case {
  readonly title: string;
  readonly name: Name;
  readonly faults: readonly object[];
  readonly expect: (laid: Laid) => Promise<void>;
}

let stack: Stack;

/** Carried out, with exactly one effect at Stripe. */
async function carriedOut({ orderOf, kind, to, before: earlier, effects }: Laid): Promise<void> {
  await stack.orderIn(orderOf.id, to);
  await operationIn(stack, orderOf.id, kind, 'done');
  assert.deepEqual(await effectsOn(stack, intentOf(orderOf)), [...earlier, ...effects]);
}

/** The requests of the operation, under whatever key: `generation:status`. */
async function sent({ operation }: Laid): Promise<readonly string[]> {
  const publicId = operation.key.replace(/-1$/, '');
  return (await journalOf(stack, 'kind=request'))
    .filter(({ idempotencyKey }) => String(idempotencyKey).startsWith(`${publicId}-`))
    .map(
      ({ idempotencyKey, status }) =>
        `${String(idempotencyKey).slice(publicId.length + 1)}:${typeof status === 'number' ? status : 'lost'}`,
    );
}

/** The statuses the operation had, a doubtful one with a question mark. */
async function history({ operation }: Laid): Promise<string> {
  const rows = await stack.database.query<{ seen: string }>(
    `SELECT status || CASE WHEN in_doubt AND status <> 'unknown' THEN '?' ELSE '' END AS seen FROM operation_history WHERE key = $1 ORDER BY position`,
    [operation.key.replace(/-1$/, '')],
  );
  return rows.map(({ seen }) => seen).join(' ');
}

async function throughDoubt(laid: Laid): Promise<void> {
  await carriedOut(laid);
  // On a busy machine the second answer may come too late as well.
  assert.match(await history(laid), /^in_flight unknown( in_flight\? unknown)* in_flight\? done\?$/);
  for (const one of await sent(laid)) assert.match(one, /^1:/);
}

async function unsent(laid: Laid): Promise<void> {
  await carriedOut(laid);
  assert.equal(await history(laid), 'in_flight queued in_flight done');
  assert.deepEqual(
    (await sent(laid)).map((one) => one[0]),
    ['1', '1'],
  );
}

/** Waits for a person: the order and what was reserved stay as they are, and nothing else may begin. */
async function parked(laid: Laid): Promise<void> {
  await operationIn(stack, laid.orderOf.id, laid.kind, 'parked');
  const order = await stack.readOrder(laid.orderOf.id);
  assert.equal(order.status, laid.name === 'pay' ? 'processing' : laid.from);
  assert.ok((await timelineOf(stack, order.id)).some(({ type, data }) => type === 'operation.parked' && data['operation'] === laid.kind));
  assert.equal((await sent(laid)).length, 1);
  assert.deepEqual(await effectsOn(stack, intentOf(order)), laid.before);
  if (laid.name === 'refunds') {
    assert.equal((await refundsOf(stack, order.id))[0]?.status, 'pending');
    assertProblem(await command(stack, order.id, 'refunds', { amount: 1_301 }), 409, 'refund_exceeds_captured');
  } else {
    assert.equal(order.payment.pendingOperation, laid.kind);
    assertProblem(await command(stack, order.id, 'cancel'), 409, 'operation_in_progress');
  }
}

/** Refused for good, without any effect. A refund ends failed; the others can be ordered anew. */
async function rejected(laid: Laid): Promise<void> {
  await operationIn(stack, laid.orderOf.id, laid.kind, 'rejected');
  const { id, status, payment } = await stack.readOrder(laid.orderOf.id);
  assert.deepEqual(
    [status, payment.pendingOperation, payment.lastError?.code ?? null],
    [laid.from, null, laid.name === 'pay' ? 'told_by_test' : null],
  );
  assert.ok(
    (await timelineOf(stack, id)).some(
      ({ type, data }) => type === 'operation.rejected' && Object(data['error'])['code'] === 'told_by_test',
    ),
  );
  assert.deepEqual(await effectsOn(stack, intentOf(laid.orderOf)), laid.before);
  if (laid.name === 'refunds') {
    const [failed] = await refundsOf(stack, id);
    assert.deepEqual([failed?.status, failed?.failureReason, failed?.stripeRefundId], ['failed', 'told_by_test', null]);
  }
  assert.ok((await command(stack, id, laid.name, laid.body)).status < 300);
  await carriedOut(laid);
}

const answer = (status: number, error: object): object => ({
  action: 'json',
  status,
  body: JSON.stringify({ error: { message: 'told by the test', ...error } }),
  count: 1,
});

/** As much as ours, and somebody else's. */
const A_REFUND = {
  id: 're_of_another',
  object: 'refund',
  status: 'succeeded',
  amount: 700,
  currency: 'usd',
  payment_intent: 'pi_of_another',
  reason: null,
  metadata: { oncepay_operation: 'op_of_another' },
};

const DOUBTFUL: readonly (readonly [string, object])[] = [
  ['a reset', { action: 'reset' }],
  ['half an answer', { action: 'truncate' }],
  ['bytes that are no JSON', { action: 'garbage' }],
  ['a page of a proxy', { action: 'html', status: 502 }],
  ['JSON without an error', { action: 'json', status: 502 }],
  ['JSON that is no object of Stripe, as a success', { action: 'json', status: 200 }],
  ['424', { action: 'error', status: 424 }],
  ['500, not kept', { action: 'error', status: 500, stored: false }],
  ['503', { action: 'error', status: 503 }],
];

const CASES = (Object.keys(COMMANDS) as Name[]).flatMap((name): Case[] => {
  const { kind } = COMMANDS[name];
  const one = (title: string, faults: readonly object[], expect: Case['expect']): Case => ({
    title: `${title} to a ${kind}${name === 'pay' ? ' of a later attempt' : ''}`,
    name,
    faults,
    expect,
  });
  return [
    ...DOUBTFUL.flatMap(([what, fault]) =>
      phasesOf(name, what).map((phase) =>
        one(`${what} ${phase} the effect is unknown, and the same key settles it: ${what}`, [{ ...fault, phase, count: 1 }], throughDoubt),
      ),
    ),
    one(
      'an answer cut in the middle is unknown, and the same key settles it: cut',
      [{ action: 'reset', phase: 'body', count: 1 }],
      throughDoubt,
    ),
    one('409, key in use, is unknown, and the same key comes again: 409', [{ action: 'conflict', count: 1 }], throughDoubt),
    one(
      'what is unknown stays so through 429 and 409: these',
      [
        { action: 'reset', phase: 'after', nth: [1] },
        { action: '429', retryAfterSeconds: 0, nth: [2] },
        { action: 'conflict', nth: [3] },
      ],
      async (laid) => {
        await carriedOut(laid);
        assert.match(await history(laid), /^in_flight unknown( in_flight\? unknown){2,} in_flight\? done\?$/);
      },
    ),
    one('429 is not sent, and comes again when Retry-After says: 429', [{ action: '429', retryAfterSeconds: 1, count: 1 }], unsent),
    one('lock_timeout is not sent, and comes again: lock_timeout', [{ action: 'lock_timeout', count: 1 }], unsent),
    one(
      'Stripe-Should-Retry outranks the status: true',
      [{ ...answer(400, { type: 'invalid_request_error' }), headers: { 'Stripe-Should-Retry': 'true' } }],
      unsent,
    ),
    one(
      '500 kept after the effect is replayed, then settled by reading: 500',
      [{ action: '500', phase: 'after', count: 1 }],
      async (laid) => {
        await carriedOut(laid);
        assert.deepEqual(await sent(laid), ['1:500', '1:500']);
      },
    ),
    ...(name === 'refunds'
      ? [
          one(
            'what another operation ordered is no answer, and the same key settles it: 200',
            [{ action: 'json', status: 200, count: 1, body: JSON.stringify(A_REFUND) }],
            async (laid: Laid) => {
              await throughDoubt(laid);
              assert.equal((await refundsOf(stack, laid.orderOf.id)).length, 1);
            },
          ),
        ]
      : [
          one(
            '500 kept before the effect is replayed, read, then sent under a new key: 500',
            [{ action: '500', phase: 'before', count: 1 }],
            async (laid: Laid) => {
              await carriedOut(laid);
              assert.deepEqual(await sent(laid), ['1:500', '1:500', '2:200']);
            },
          ),
        ]),
    one('a key reused with other parameters is parked: 400', [answer(400, { type: 'idempotency_error' })], parked),
    one('an unknown parameter is parked: 400', [answer(400, { type: 'invalid_request_error', code: 'parameter_unknown' })], parked),
    one(
      'an object that Stripe does not have is parked: 404',
      [answer(404, { type: 'invalid_request_error', code: 'resource_missing', param: 'intent' })],
      parked,
    ),
    one(
      'an object that Stripe does not have is parked: 400',
      [answer(400, { type: 'invalid_request_error', code: 'resource_missing', param: 'payment_intent' })],
      parked,
    ),
    one('any other refusal is final: 400', [answer(400, { type: 'invalid_request_error', code: 'told_by_test' })], rejected),
    one(
      'a refusal that the object explains is none: 400 after the effect',
      [{ ...answer(400, { type: 'invalid_request_error', code: 'told_by_test' }), phase: 'after' }],
      carriedOut,
    ),
  ];
});

/** A refund is what nothing at Stripe guards, so it gets all of them; a confirm has had them all elsewhere. */
function phasesOf(name: Name, what: string): readonly ('before' | 'after')[] {
  if (name === 'refunds' || what === 'a reset') return ['before', 'after'];
  return name === 'pay' ? [] : ['after'];
}

/** Brings orders where the commands are given. */
async function lay(names: readonly Name[]): Promise<readonly OrderJson[]> {
  const ids: string[] = [];
  for (const name of names) ids.push((await stack.order(COMMANDS[name].order)).id);
  await waitFor(
    'no order to be under way',
    async () => (await stack.database.query(`SELECT 1 FROM orders WHERE status = 'pending'`)).length === 0,
    40_000,
  );
  return Promise.all(ids.map((id) => stack.readOrder(id)));
}

/** Gives the command while the worker is away. */
async function give(name: Name, orderOf: OrderJson): Promise<Laid> {
  const accepted = await command(stack, orderOf.id, name, COMMANDS[name].body);
  assert.ok(accepted.status < 300, accepted.text);
  const operation = (await operationsOf(stack, orderOf.id)).at(-1) ?? assert.fail();
  return { ...COMMANDS[name], name, orderOf, operation };
}

async function spoil({ operation }: Laid, fault: object): Promise<void> {
  const armed = await stack.control('/_sim/faults', { ...fault, key: operation.key.replace(/-1$/, '-*') });
  assert.equal(armed.status, 200, armed.text);
}

describe('no answer of Stripe at all', () => {
  const PHASES = ['before', 'after'] as const;
  const NAMES = Object.keys(COMMANDS) as Name[];
  const laid = new Map<string, Laid>();

  before(async () => {
    stack = await startStack({ env: { STRIPE_TIMEOUT_MS: '700', ...WITHOUT_BREAKER } });
    const orders = await lay([...NAMES, ...NAMES]);
    await keepHistory(stack.database);
    await stack.stopWorker();
    for (const [index, orderOf] of orders.entries()) {
      const name = NAMES[index % NAMES.length] ?? assert.fail();
      const phase = PHASES[index < NAMES.length ? 0 : 1] ?? assert.fail();
      const given = await give(name, orderOf);
      await spoil(given, { action: 'hang', ms: 20_000, phase, count: 1 });
      laid.set(`${name} ${phase}`, given);
    }
    await stack.startWorker();
  });
  after(() => stack.close());

  for (const name of NAMES) {
    for (const phase of PHASES) {
      it(`within STRIPE_TIMEOUT_MS, ${phase} the effect of ${name}, is unknown, and the same key settles it`, async () => {
        await throughDoubt(laid.get(`${name} ${phase}`) ?? assert.fail());
      });
    }
  }
});

describe("Stripe's answer", () => {
  const folder = mkdtempSync(join(tmpdir(), 'oncepay-stripe-answers-'));
  const laid = new Map<string, Laid>();

  // All are laid and spoilt while the worker is away, so that they wait for their back-off together.
  before(async () => {
    stack = await startStack({ env: WITHOUT_BREAKER, virtualClock: true, stateFile: join(folder, 'simulator.ndjson') });
    const orders = await lay(CASES.map(({ name }) => name));
    await keepHistory(stack.database);
    await stack.stopWorker();
    for (const [index, { title, name, faults }] of CASES.entries()) {
      const given = await give(name, orders[index] ?? assert.fail());
      for (const fault of faults) await spoil(given, fault);
      laid.set(title, given);
    }
    await stack.startWorker();
  });
  after(async () => {
    await stack.close();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const { title, expect } of CASES) {
    it(title, async () => {
      await expect(laid.get(title) ?? assert.fail());
    });
  }

  it('500 kept before the effect to a refund is replayed and read, and sent under a new key only when it is still missing 10 minutes later', async () => {
    const [order = assert.fail()] = await lay(['refunds']);
    await stack.stopWorker();
    const given = await give('refunds', order);
    await spoil(given, { action: '500', phase: 'before', count: 1 });
    await stack.startWorker();
    const absent = (): Promise<boolean> =>
      stack.database
        .query(
          'SELECT 1 FROM payment_operations WHERE id = $1::uuid AND absent_since IS NOT NULL AND lease_until IS NULL AND next_attempt_at > now()',
          [given.operation.id],
        )
        .then(({ length }) => length === 1);
    await waitFor('a list that lacks it', absent);
    await stack.control('/_sim/clock', { advanceSeconds: 590 });
    await becomeDue(stack, given.operation.id);
    await waitFor('a second list', async () => (await sent(given)).length === 3 && absent());
    assert.deepEqual([await sent(given), await effectsOn(stack, intentOf(order))], [['1:500', '1:500', '1:500'], given.before]);

    await stack.control('/_sim/clock', { advanceSeconds: 11 });
    await becomeDue(stack, given.operation.id);
    await carriedOut(given);
    assert.deepEqual(await sent(given), ['1:500', '1:500', '1:500', '1:500', '2:200']);
  });

  it('that is a declined card to a later attempt is not tried again', async () => {
    const [{ id } = assert.fail()] = await lay(['pay']);
    await command(stack, id, 'pay', { paymentMethod: 'pm_card_chargeDeclinedInsufficientFunds' });
    const { key } = await operationIn(stack, id, 'confirm', 'declined');
    const { status, payment } = await stack.readOrder(id);
    assert.deepEqual([status, payment.lastError?.declineCode], ['requires_payment', 'insufficient_funds']);
    assert.equal((await journalOf(stack, `kind=request&key=${key}`)).length, 1);
  });

  it('that cannot come, for the connection is refused, leaves all as it was until it can', async () => {
    const names = Object.keys(COMMANDS) as Name[];
    const orders = await lay(names);
    await stack.stopSimulator();
    const given = await Promise.all(names.map((name, index) => give(name, orders[index] ?? assert.fail())));
    for (const one of given) await waitFor('a try that was not sent', async () => (await history(one)).startsWith('in_flight queued'));
    await stack.startSimulator();

    for (const one of given) {
      await carriedOut(one);
      assert.doesNotMatch(await history(one), /unknown|\?/);
      assert.deepEqual(await sent(one), ['1:200']);
    }
  });

  it('whatever it was, leaves the rules kept', () => assertRulesHold(stack));
});
