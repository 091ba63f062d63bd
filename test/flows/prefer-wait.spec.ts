import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { KEY_PEPPER } from '../support/api-keys.js';
import { startApiAlone } from '../support/api.js';
import { command, intentOf, refund } from '../support/commands.js';
import { routeTo } from '../support/database-route.js';
import { type Answer } from '../support/http-client.js';
import { assertProblem } from '../support/problem.js';
import { AN_ORDER, type OrderJson, type Stack, startStack } from '../support/stack.js';

let stack: Stack;
before(async () => {
  stack = await startStack({ env: { ONCEPAY_KEY_PEPPER: KEY_PEPPER } });
});
after(() => stack.close());

const wait = (value: string): { headers: Record<string, string> } => ({ headers: { Prefer: value } });
const newKey = (): string => crypto.randomUUID();

function order(prefer: string, overrides: object = {}, idempotencyKey = newKey()): Promise<Answer> {
  return stack.call('/v1/orders', { idempotencyKey, body: { ...AN_ORDER, ...overrides }, ...wait(prefer) });
}

async function read(id: string, prefer: string): Promise<Answer> {
  return stack.call(`/v1/orders/${id}`, wait(prefer));
}

async function timed<T>(work: Promise<T>): Promise<{ answer: T; ms: number }> {
  const begun = performance.now();
  const answer = await work;
  return { answer, ms: performance.now() - begun };
}

const pendingOperationIn = ({ json }: Answer): unknown => Object(json['payment'])['pendingOperation'];

describe('Prefer: wait on POST /v1/orders', () => {
  it("answers with the creation's status and Location and the order as it has become, its ETag included", async () => {
    const answer = await order('wait=20');
    assert.deepEqual([answer.status, answer.json['status'], answer.json['amountCaptured']], [201, 'paid', 2_000], answer.text);
    assert.equal(answer.headers.get('Location'), `/v1/orders/${String(answer.json['id'])}`);
    assert.equal(answer.headers.get('Preference-Applied'), 'wait=20');

    const etag = answer.headers.get('ETag') ?? '';
    const again = await stack.call(`/v1/orders/${String(answer.json['id'])}`, { headers: { 'If-None-Match': etag } });
    assert.deepEqual([again.status, again.headers.get('ETag')], [304, etag]);
  });

  for (const [what, overrides, status] of [
    ['waits for its buyer', { paymentMethod: undefined }, 'requires_payment'],
    ['was declined', { paymentMethod: 'pm_card_chargeDeclined' }, 'requires_payment'],
    ['must be authenticated', { paymentMethod: 'pm_card_authenticationRequired' }, 'requires_action'],
    ['is authorized', { captureMethod: 'manual' }, 'authorized'],
  ] as const) {
    it(`ends when the order ${what}`, async () => {
      const answer = await order('wait=20', overrides);
      assert.deepEqual([answer.status, answer.json['status'], pendingOperationIn(answer)], [201, status, null]);
    });
  }

  it('gives a replay the same status and Location, the mark, and the order as it is now', async () => {
    const key = newKey();
    const first = await order('', {}, key);
    assert.deepEqual([first.status, first.json['status']], [201, 'pending']);

    const waited = await order('wait=20', {}, key);
    assert.deepEqual(
      [waited.status, waited.headers.get('Location'), waited.headers.get('Idempotency-Replayed')],
      [201, first.headers.get('Location'), 'true'],
    );
    assert.equal(waited.json['status'], 'paid');
    const plain = await order('', {}, key);
    assert.deepEqual(
      [plain.text, plain.headers.get('ETag'), plain.headers.get('Preference-Applied')],
      [first.text, first.headers.get('ETag'), null],
    );
  });

  it('stores what a request without the preference would have stored', async () => {
    const key = newKey();
    const waited = await order('wait=20', {}, key);
    const plain = await order('', {}, key);
    assert.deepEqual(
      [plain.status, plain.json['id'], plain.json['status'], plain.headers.get('Idempotency-Replayed')],
      [201, waited.json['id'], 'pending', 'true'],
    );
  });

  it('does not hold back a refusal', async () => {
    const { answer, ms } = await timed(order('wait=20', { currency: 'xyz' }));
    assertProblem(answer, 400, 'validation_failed');
    assert.ok(ms < 5_000);
  });
});

describe('the preference', () => {
  let settled: string;
  before(async () => {
    settled = (await stack.orderIn((await stack.order()).id, 'paid')).id;
  });

  for (const [given, applied] of [
    ['wait=30', 'wait=30'],
    ['wait=31', 'wait=30'],
    ['wait=600', 'wait=30'],
    ['wait=99999999999999999999', 'wait=30'],
    ['wait=0', 'wait=0'],
    ['wait=007', 'wait=7'],
    ['WAIT=5', 'wait=5'],
    ['wait="5"', 'wait=5'],
    [' wait = 5 ', 'wait=5'],
    ['respond-async, wait=5', 'wait=5'],
    ['wait=5, wait=9', 'wait=5'],
    ['handling=lenient; wait=5', 'wait=5'],
  ] as const) {
    it(`${given} counts as ${applied}, and is echoed so`, async () => {
      const answer = await read(settled, given);
      assert.deepEqual([answer.status, answer.headers.get('Preference-Applied')], [200, applied]);
    });
  }

  describe('without a number of seconds', () => {
    let pending: string;
    before(async () => {
      await stack.stopWorker();
      pending = (await stack.order()).id;
    });
    after(() => stack.startWorker());

    for (const given of [
      'wait',
      'wait=',
      'wait=x',
      'wait=-1',
      'wait=1.5',
      'wait=1e3',
      'wait=5s',
      'waiting=5',
      'return=minimal',
      'wait 5',
    ]) {
      it(`${given} is ignored`, async () => {
        const { answer, ms } = await timed(read(pending, given));
        assert.deepEqual([answer.status, answer.headers.get('Preference-Applied'), answer.json['status']], [200, null, 'pending']);
        assert.ok(ms < 900, `it took ${ms} ms`);
      });
    }
  });
});

describe('Prefer: wait on GET', () => {
  it('holds the answer until the order has left pending', async () => {
    await stack.stopWorker();
    const { id } = await stack.order();
    const [answer] = await Promise.all([read(id, 'wait=20'), stack.startWorker()]);
    assert.deepEqual([answer.status, answer.json['status'], answer.headers.get('Preference-Applied')], [200, 'paid', 'wait=20']);
  });

  it('holds the answer until an order that is processing has been settled by the bank', async () => {
    const processing = await stack.orderIn((await stack.order({ paymentMethod: 'pm_simulator_processing' })).id, 'processing');
    const [answer] = await Promise.all([
      read(processing.id, 'wait=20'),
      stack.control(`/_sim/payment_intents/${intentOf(processing)}/settle`, { outcome: 'succeeded' }),
    ]);
    assert.equal(answer.json['status'], 'paid');
  });

  it('gives the order as it is when the seconds are over', async () => {
    await stack.stopWorker();
    const { id } = await stack.order();
    const { answer, ms } = await timed(read(id, 'wait=1'));
    assert.deepEqual([answer.status, answer.json['status'], answer.headers.get('Preference-Applied')], [200, 'pending', 'wait=1']);
    assert.ok(ms >= 990 && ms < 5_000, `it took ${ms} ms`);
    await stack.startWorker();
  });

  it('answers 304 to a reader who has what the order is after the wait', async () => {
    const paid = await order('wait=20');
    const again = await stack.call(`/v1/orders/${String(paid.json['id'])}`, {
      headers: { Prefer: 'wait=5', 'If-None-Match': paid.headers.get('ETag') ?? '' },
    });
    assert.deepEqual([again.status, again.headers.get('Preference-Applied')], [304, 'wait=5']);
  });

  it('does not hold back that there is no such order', async () => {
    const { answer, ms } = await timed(read('ord_00000000000000000000000000', 'wait=20'));
    assertProblem(answer, 404, 'not_found');
    assert.ok(ms < 5_000);
  });

  it('lets 100 waiters wait without keeping anyone else', async () => {
    await stack.stopWorker();
    const { id } = await stack.order();
    const waiters = Array.from({ length: 100 }, () => read(id, 'wait=30'));
    const { answer, ms } = await timed(stack.order());
    assert.equal(answer.status, 'pending');
    // Waiters that kept a connection each would keep it for as long as they wait.
    assert.ok(ms < 20_000, `it took ${ms} ms`);
    await stack.startWorker();
    assert.deepEqual(new Set((await Promise.all(waiters)).map(({ json }) => json['status'])), new Set(['paid']));
  });

  it('lets 50 waiters of one process share one look at the database', async (t) => {
    const route = await routeTo(stack.database.url);
    const api = await startApiAlone(route.url);
    t.after(async () => {
      await api.close();
      await route.close();
    });
    await stack.stopWorker();
    const ids = (await Promise.all(Array.from({ length: 50 }, () => stack.order()))).map(({ id }) => id);
    /** What it costs the database when all of them are read at once. */
    const cost = async (prefer: string): Promise<number> => {
      const before = route.piecesSent();
      const answers = await Promise.all(ids.map((id) => api.call(`/v1/orders/${id}`, wait(prefer))));
      for (const { json } of answers) assert.equal(json['status'], 'pending');
      return route.piecesSent() - before;
    };
    await cost('wait=0');
    const atOnce = await cost('wait=0');
    const waiting = await cost('wait=1');
    // One read before and one after; between them a look every 100 ms. Each on its own, they would look 500 times.
    assert.ok(waiting <= atOnce + ids.length + 25, `${waiting} statements for 50 waiters, ${atOnce} for 50 readers`);
    assert.ok(waiting > atOnce, `${waiting} statements: nobody looked`);
    await stack.startWorker();
  });

  it('answers everyone at once when the process drains', async () => {
    const leaving = await startApiAlone(stack.database.url);
    await stack.stopWorker();
    const { id } = await stack.order();
    const waiters = Array.from({ length: 10 }, () => leaving.call(`/v1/orders/${id}`, wait('wait=25')));
    await leaving.call(`/v1/orders/${id}`, wait('wait=0'));
    const { answer, ms } = await timed(Promise.all([...waiters, leaving.close()]));
    assert.ok(ms < 10_000, `it took ${ms} ms`);
    for (const waited of answer) assert.ok(waited === undefined || (waited.status === 200 && waited.json['status'] === 'pending'));
    await stack.startWorker();
  });
});

describe('Prefer: wait on a command', () => {
  const commands: readonly (readonly [string, object | undefined, object, string, string])[] = [
    ['pay', { paymentMethod: 'pm_card_visa' }, { paymentMethod: undefined }, 'requires_payment', 'paid'],
    ['capture', { amount: 500 }, { captureMethod: 'manual' }, 'authorized', 'paid'],
    ['cancel', undefined, { captureMethod: 'manual' }, 'authorized', 'canceled'],
  ];
  for (const [name, body, overrides, from, to] of commands) {
    it(`answers ${name} with 200, its Location and the order once nothing is ordered any more; a replay likewise`, async () => {
      const { id } = await stack.orderIn((await stack.order(overrides)).id, from);
      const key = newKey();
      const answer = await command(stack, id, name, body, { key, ...wait('wait=20') });
      assert.deepEqual([answer.status, answer.json['status'], pendingOperationIn(answer)], [200, to, null], answer.text);
      assert.deepEqual([answer.headers.get('Location'), answer.headers.get('Preference-Applied')], [`/v1/orders/${id}`, 'wait=20']);

      const again = await command(stack, id, name, body, { key, ...wait('wait=20') });
      assert.deepEqual([again.status, again.text, again.headers.get('Idempotency-Replayed')], [200, answer.text, 'true']);
      const plain = await command(stack, id, name, body, { key });
      assert.notEqual(pendingOperationIn(plain), null);
    });
  }
});

describe('Prefer: wait on a refund', () => {
  const paid = async (overrides: object = {}): Promise<OrderJson> => stack.orderIn((await stack.order(overrides)).id, 'paid');

  it('answers POST with 201, its Location and the refund once it has left pending; a replay likewise', async () => {
    const { id } = await paid();
    const key = newKey();
    const answer = await command(stack, id, 'refunds', { amount: 300 }, { key, ...wait('wait=20') });
    assert.deepEqual(
      [answer.status, answer.json['status'], answer.headers.get('Preference-Applied')],
      [201, 'succeeded', 'wait=20'],
      answer.text,
    );
    assert.equal(answer.headers.get('Location'), `/v1/refunds/${String(answer.json['id'])}`);
    const now = await stack.call(answer.headers.get('Location') ?? '');
    assert.deepEqual([now.text, now.headers.get('ETag')], [answer.text, answer.headers.get('ETag')]);

    const again = await command(stack, id, 'refunds', { amount: 300 }, { key, ...wait('wait=20') });
    assert.deepEqual([again.status, again.text, again.headers.get('Idempotency-Replayed')], [201, answer.text, 'true']);
    assert.equal((await command(stack, id, 'refunds', { amount: 300 }, { key })).json['status'], 'pending');
  });

  it('holds GET until the refund has left pending', async () => {
    const { id } = await paid();
    await stack.stopWorker();
    const made = await refund(stack, id);
    const [answer] = await Promise.all([stack.call(`/v1/refunds/${made.id}`, wait('wait=20')), stack.startWorker()]);
    assert.deepEqual([answer.status, answer.json['status'], answer.headers.get('Preference-Applied')], [200, 'succeeded', 'wait=20']);
  });

  it('gives a refund that stays pending when the seconds are over', async () => {
    const { id } = await paid({ paymentMethod: 'pm_card_pendingRefund' });
    const { answer, ms } = await timed(command(stack, id, 'refunds', {}, wait('wait=1')));
    assert.deepEqual([answer.status, answer.json['status']], [201, 'pending']);
    assert.ok(ms >= 990, `it took ${ms} ms`);
  });
});
