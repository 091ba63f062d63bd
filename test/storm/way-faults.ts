import { setTimeout as sleep } from 'node:timers/promises';
import { type Fault, type Scene } from './process-faults.js';

const stripeWay = (): string => 'way to Stripe';
const door = (): string => 'way to the API';

/**
 * What happens to bytes between the workers and Stripe, and between everybody and the APIs. What breaks many calls at once opens the breaker, and
 * for seconds nothing moves: lost answers, which each meet one order at its worst moment, are the more common.
 */
export const WAY_FAULTS: readonly Fault[] = [
  { name: 'way to Stripe refused', weight: 2, on: stripeWay, strike: refuse },
  { name: 'way to Stripe silent', weight: 2, on: stripeWay, strike: swallow },
  { name: 'way to Stripe slow', weight: 3, on: stripeWay, strike: slowDown },
  { name: 'connections to Stripe reset', weight: 3, on: stripeWay, strike: async ({ fleet }) => fleet.stripeWay.reset() },
  { name: 'answer of Stripe lost on the way', weight: 14, on: stripeWay, strike: loseStripesAnswer },
  { name: 'connections to the API reset', weight: 5, on: door, strike: async ({ fleet }) => fleet.door.reset() },
  {
    name: 'answer of the API lost',
    weight: 15,
    on: door,
    strike: async ({ fleet, chance }) => fleet.door.loseAnswers(chance.between(1, 3)),
  },
];

async function refuse({ fleet, chance }: Scene): Promise<void> {
  await fleet.stripeWay.refuse();
  await sleep(chance.between(300, 3_000));
  await fleet.stripeWay.pass();
}

async function swallow({ fleet, chance }: Scene): Promise<void> {
  fleet.stripeWay.blackhole();
  await sleep(chance.between(500, 3_500));
  await fleet.stripeWay.pass();
}

async function slowDown({ fleet, chance }: Scene): Promise<void> {
  fleet.stripeWay.delay(chance.between(20, 400));
  await sleep(chance.between(1_000, 4_000));
  await fleet.stripeWay.pass();
}

async function loseStripesAnswer({ fleet, chance }: Scene): Promise<void> {
  const paths = ['/confirm', '/v1/refunds', '/capture', '/cancel', 'POST /v1/payment_intents HTTP', '/v1/checkout/sessions'];
  fleet.stripeWay.loseNextAnswerTo(chance.pick(paths));
}
