import { ok, rejects, strictEqual } from 'node:assert';
import { it } from 'node:test';
import { refusal, simulate } from './harness.js';

const sim = await simulate();
const stripe = sim.stripe();
const DAY = 24 * 3600;

it('the clock tells its offset and the time it shows', async () => {
  const clock = await sim.control('/clock', { advanceSeconds: 90 });
  strictEqual(clock['offsetSeconds'], 90);
  strictEqual(clock['offsetMs'], 90_000);
  ok(Math.abs(Date.parse(String(clock['now'])) - Date.now() - 90_000) < 5_000);
});

it('the clock dates new objects', async () => {
  const before = await stripe.customers.create({});
  await sim.control('/clock', { advanceSeconds: DAY });
  const afterwards = await stripe.customers.create({});
  ok(afterwards.created - before.created >= DAY);
});

it('the clock makes what falls due happen at its own time', async () => {
  const session = await stripe.checkout.sessions.create({
    mode: 'payment',
    success_url: 'https://shop.example/',
    line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: 2000, product_data: { name: 'Mug' } } }],
  });
  await sim.control('/clock', { advanceSeconds: 10 * DAY });
  const [event] = (await stripe.events.list({ type: 'checkout.session.expired' })).data;
  strictEqual(event?.created, session.expires_at);
});

it('the clock does not run backwards', async () => {
  await rejects(sim.control('/clock', { advanceSeconds: -1 }), /only moves forward/);
});

it('events are answered for 30 days', async () => {
  await stripe.customers.create({});
  const [event] = (await stripe.events.list({ limit: 1 })).data;
  ok(event);
  await sim.control('/clock', { advanceSeconds: 30 * DAY - 10 });
  strictEqual((await stripe.events.retrieve(event.id)).id, event.id);
  await sim.control('/clock', { advanceSeconds: 20 });
  strictEqual((await refusal(stripe.events.retrieve(event.id))).statusCode, 404);
  strictEqual((await stripe.events.list({ type: 'customer.created' })).data.length, 0);
});
