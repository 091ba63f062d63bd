import { deepStrictEqual, strictEqual } from 'node:assert';
import { it } from 'node:test';
import { NO_REDIRECTS, simulate } from './harness.js';

const sim = await simulate();
const stripe = sim.stripe();

interface Entry {
  kind: string;
  type: string;
  amount: number;
  method: string;
  path: string;
  status: number;
  idempotencyKey: string | null;
  executed: boolean;
  replayOf: string | null;
  requestId: string | null;
  origin: string;
}

const journal = async (query: string): Promise<Entry[]> => (await sim.control(`/journal?${query}`))['data'] as Entry[];

it('the journal tells what money moved for an intent, by which request', async () => {
  const held = await stripe.paymentIntents.create({
    amount: 2000,
    currency: 'usd',
    capture_method: 'manual',
    automatic_payment_methods: NO_REDIRECTS,
  });
  await stripe.paymentIntents.confirm(held.id, { payment_method: 'pm_card_pendingRefund' }, { idempotencyKey: 'confirm' });
  await stripe.paymentIntents.capture(held.id, { amount_to_capture: 1500 }, { idempotencyKey: 'capture' });
  await stripe.refunds.create({ payment_intent: held.id, amount: 400 }, { idempotencyKey: 'refund' });
  await sim.control('/clock', { advanceSeconds: 10 });
  deepStrictEqual(
    (await journal(`kind=effect&paymentIntent=${held.id}`)).map(({ type, amount, idempotencyKey, origin }) => [
      type,
      amount,
      idempotencyKey,
      origin,
    ]),
    [
      ['authorized', 2000, 'confirm', 'api'],
      ['captured', 1500, 'capture', 'api'],
      ['released', 500, 'capture', 'api'],
      ['refund_pending', 400, 'refund', 'api'],
      ['refunded', 400, null, 'clock'],
    ],
  );
  const { byPaymentIntent } = (await sim.control('/journal'))['totals'] as { byPaymentIntent: Record<string, object> };
  deepStrictEqual(byPaymentIntent[held.id], {
    authorized: 2000,
    captured: 1500,
    released: 500,
    refunded: 400,
    refundPending: 0,
    disputed: 0,
    chargeCount: 1,
    currency: 'usd',
  });
});

it('the journal has every request, replays and refusals included', async () => {
  const params = 'amount=2000&currency=usd';
  const first = await sim.api('POST', '/v1/payment_intents', params, { idempotencyKey: 'k1' });
  await sim.api('POST', '/v1/payment_intents', params, { idempotencyKey: 'k1' });
  await sim.api('POST', '/v1/payment_intents', 'amount=1&currency=usd', { idempotencyKey: 'k1' });
  const requestId = first.headers.get('request-id');
  deepStrictEqual(
    (await journal('key=k1')).map(({ status, executed, replayOf }) => [status, executed, replayOf]),
    [
      [200, true, null],
      [200, false, requestId],
      [400, false, null],
    ],
  );
});

it('the journal is read by account and from where one left off', async () => {
  const { lastSeq } = await sim.control('/journal');
  await sim.stripe('sk_test_other').customers.create({});
  await stripe.customers.create({});
  strictEqual((await journal(`afterSeq=${Number(lastSeq)}`)).length, 2);
  strictEqual((await journal(`afterSeq=${Number(lastSeq)}&account=sk_test_other`)).length, 1);
});
