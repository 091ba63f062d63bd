import { deepStrictEqual, notDeepStrictEqual, notStrictEqual, ok, strictEqual, throws } from 'node:assert';
import { beforeEach, describe, it } from 'node:test';
import { Stripe } from 'stripe';
import { waitFor } from '../support/wait-for.js';
import { type Json, receiveWebhooks, refusal, simulate } from './harness.js';

const SECRET = 'whsec_test_secret';
const receiver = await receiveWebhooks();
const sim = await simulate({ webhookUrl: receiver.url, webhookSecret: SECRET });
const stripe = sim.stripe();

const makeCustomer = (): Promise<Stripe.Customer> => stripe.customers.create({ email: 'ada@example.com' });
const delivered = (count: number): Promise<boolean> => waitFor(`${count} deliveries`, () => receiver.received.length >= count);
const hooks = (fault: object): Promise<Json> => sim.control('/webhooks', fault);

function verified(received: (typeof receiver.received)[number] | undefined): Stripe.Event {
  ok(received);
  return stripe.webhooks.constructEvent(received.raw, String(received.headers['stripe-signature']), SECRET);
}

/** The id of what an event is about. */
function objectOf(event: object | undefined): unknown {
  const { data } = event as { data: { object: { id: string } } };
  return data.object.id;
}

/** No delivery is waiting or under way any more. */
const settled = (): Promise<boolean> =>
  waitFor('all deliveries to end', async () =>
    (await stripe.events.list({ limit: 100 })).data.every((event) => event.pending_webhooks === 0),
  );

describe('a webhook', () => {
  beforeEach(async () => {
    await sim.control('/reset', {});
    receiver.received.length = 0;
    receiver.status = () => 200;
  });

  it('is a signed event that the official client accepts', async () => {
    const customer = await makeCustomer();
    await delivered(1);
    const event = verified(receiver.received[0]);
    strictEqual(event.type, 'customer.created');
    strictEqual(objectOf(event), customer.id);
    strictEqual(event.api_version, '2026-10-28.endive');
    strictEqual(event.pending_webhooks, 1);
  });

  it('is signed with the wall clock, whatever the virtual one says', async () => {
    await sim.control('/clock', { advanceSeconds: 30 * 24 * 3600 });
    await makeCustomer();
    await delivered(1);
    ok(verified(receiver.received[0]).created > Date.now() / 1000 + 29 * 24 * 3600);
    const signedAt = Number(/t=(\d+)/.exec(String(receiver.received[0]?.headers['stripe-signature']))?.[1]);
    ok(Math.abs(signedAt - Date.now() / 1000) < 60);
  });

  it('comes again with a new signature until it is answered 2xx', async () => {
    let refusals = 3;
    receiver.status = () => (refusals-- > 0 ? 500 : 204);
    await makeCustomer();
    await delivered(4);
    strictEqual(new Set(receiver.received.map(({ event }) => event.id)).size, 1);
    for (const received of receiver.received) verified(received);
    await settled();
    strictEqual(receiver.received.length, 4);
  });

  it('counts a redirect as a failure', async () => {
    receiver.status = () => (receiver.received.length === 1 ? 302 : 200);
    await makeCustomer();
    await delivered(2);
  });

  it('shows in the list of events whether it was delivered', async () => {
    receiver.status = () => 500;
    await makeCustomer();
    await delivered(1);
    strictEqual((await stripe.events.list({ delivery_success: false })).data.length, 1);
    strictEqual((await stripe.events.list({ delivery_success: true })).data.length, 0);
    receiver.status = () => 200;
    await waitFor('the success', async () => (await stripe.events.list({ delivery_success: true })).data.length === 1);
  });

  it('goes to the endpoints of its account that ask for its type', async () => {
    const other = await receiveWebhooks();
    const endpoint = await stripe.webhookEndpoints.create({ url: other.url, enabled_events: ['customer.updated'] });
    ok(endpoint.secret?.startsWith('whsec_'));
    const customer = await makeCustomer();
    await sim.stripe('sk_test_b').customers.create({});
    await stripe.customers.update(customer.id, { name: 'Ada' });
    await waitFor('the delivery', () => other.received.length === 1);
    const [received] = other.received;
    const event = stripe.webhooks.constructEvent(received?.raw ?? '', String(received?.headers['stripe-signature']), endpoint.secret ?? '');
    strictEqual(event.type, 'customer.updated');
    deepStrictEqual((event.data as { previous_attributes: Json }).previous_attributes, { name: null });
    strictEqual((await stripe.webhookEndpoints.retrieve(endpoint.id)).secret, undefined);
  });

  it('no longer goes to an endpoint that is disabled or deleted', async () => {
    const other = await receiveWebhooks();
    const { id } = await stripe.webhookEndpoints.create({ url: other.url, enabled_events: ['*'] });
    strictEqual((await stripe.webhookEndpoints.update(id, { disabled: true })).status, 'disabled');
    await makeCustomer();
    await stripe.webhookEndpoints.update(id, { disabled: false });
    await stripe.webhookEndpoints.del(id);
    await makeCustomer();
    await delivered(2);
    strictEqual(other.received.length, 0);
    strictEqual((await refusal(stripe.webhookEndpoints.retrieve(id))).statusCode, 404);
  });

  it('is sent again on demand', async () => {
    await makeCustomer();
    await delivered(1);
    await hooks({ action: 'resend', event: receiver.received[0]?.event.id });
    await delivered(2);
    strictEqual(receiver.received[1]?.event.id, receiver.received[0]?.event.id);
  });
});

describe('a webhook fault', () => {
  beforeEach(async () => {
    await sim.control('/reset', {});
    receiver.received.length = 0;
    receiver.status = () => 200;
  });

  it('sends the same event several times', async () => {
    await hooks({ action: 'duplicate', times: 3 });
    await makeCustomer();
    await delivered(4);
    strictEqual(new Set(receiver.received.map(({ event }) => event.id)).size, 1);
  });

  it('makes no more copies while the receiver is down', async () => {
    receiver.status = () => (receiver.received.length <= 4 ? 500 : 200);
    await hooks({ action: 'duplicate', times: 2 });
    await makeCustomer();
    await settled();
    // Three at first, of which the retries of the one that counts make two more.
    strictEqual(receiver.received.length, 5);
  });

  it('sends two events for one fact', async () => {
    await hooks({ action: 'twin', count: 1 });
    const customer = await makeCustomer();
    await delivered(2);
    const [one, twin] = receiver.received.map(verified);
    notStrictEqual(one?.id, twin?.id);
    deepStrictEqual([objectOf(twin), twin?.type], [customer.id, one?.type]);
    strictEqual((await stripe.events.list()).data.length, 2);
  });

  it('sends events in another order', async () => {
    await hooks({ action: 'reorder', window: 5, seed: 3 });
    const made: string[] = [];
    for (let count = 0; count < 5; count++) made.push((await makeCustomer()).id);
    await delivered(5);
    const arrived = receiver.received.map(({ event }) => objectOf(event));
    notDeepStrictEqual(arrived, made);
    deepStrictEqual(new Set(arrived), new Set(made));
  });

  it('sends an event late', async () => {
    await hooks({ action: 'delay', ms: 200, type: 'customer.*' });
    const started = performance.now();
    await makeCustomer();
    await delivered(1);
    ok(performance.now() - started >= 200);
  });

  it('loses an event, which stays in the list as not delivered', async () => {
    await hooks({ action: 'drop', nth: 1 });
    await makeCustomer();
    const kept = await makeCustomer();
    await delivered(1);
    strictEqual(objectOf(receiver.received[0]?.event), kept.id);
    strictEqual((await stripe.events.list({ delivery_success: false })).data.length, 1);
    strictEqual((await stripe.events.list()).data.length, 2);
    const [lost] = (await stripe.events.list({ delivery_success: false })).data;
    await hooks({ action: 'resend', event: lost?.id });
    await waitFor('the late success', async () => (await stripe.events.list({ delivery_success: false })).data.length === 0);
  });

  for (const action of ['forge', 'tamper', 'old_timestamp'] as const) {
    it(`spoils an attempt (${action}), and the next one is good`, async () => {
      receiver.status = () => (receiver.received.length === 1 ? 400 : 200);
      await hooks({ action, count: 1 });
      await makeCustomer();
      await delivered(2);
      throws(() => verified(receiver.received[0]), Stripe.errors.StripeSignatureVerificationError);
      strictEqual(verified(receiver.received[1]).type, 'customer.created');
    });
  }

  it('sends an event of another version, or a thin one', async () => {
    await hooks({ action: 'wrong_version', count: 1 });
    await makeCustomer();
    await delivered(1);
    strictEqual(verified(receiver.received[0]).api_version, '2020-08-27');
    await hooks({ action: 'thin' });
    await makeCustomer();
    await delivered(2);
    strictEqual(receiver.received[1]?.event['object'], 'v2.core.event');
  });

  it('is over after reset', async () => {
    await hooks({ action: 'drop' });
    await hooks({ action: 'reset' });
    await makeCustomer();
    await delivered(1);
  });
});
