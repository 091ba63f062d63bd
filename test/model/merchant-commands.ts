import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Model, type ModelOrder, type Verb } from './model.js';
import { type Sequence } from './sequence.js';

/** One step of a sequence. */
export type Step = fc.AsyncCommand<Model, Sequence>;

/** A sequence has few orders, so that much happens to each. */
const ORDERS_MAX = 3;
const AMOUNT = 2_000;

/** What an order may be paid with by the merchant, or in the browser. */
export const CARDS = [
  'pm_card_visa',
  'pm_card_chargeDeclined',
  'pm_card_chargeDeclinedInsufficientFunds',
  'pm_card_authenticationRequired',
  'pm_card_threeDSecureRequiredChargeDeclined',
  'pm_card_pendingRefund',
  'pm_card_refundFail',
  'pm_card_createDispute',
  'pm_simulator_processing',
] as const;

/** Every second card pays at once: most of a life depends on it. */
const card = fc.oneof(
  { weight: 1, arbitrary: fc.constant<(typeof CARDS)[number]>('pm_card_visa') },
  { weight: 1, arbitrary: fc.constantFrom(...CARDS) },
);

/** Picks one of the orders there are. */
export const pick = fc.nat({ max: ORDERS_MAX - 1 });

/** Above, at and below the order's amount; null leaves it out. Mostly small, so that an order lives through several. */
const amount = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(null, AMOUNT, AMOUNT + 1) },
  { weight: 2, arbitrary: fc.constantFrom(1, 300, 500, 700) },
);

/** What begins every sequence. */
export const creation: fc.Arbitrary<Step> = fc
  .record({ paymentMethod: fc.option(card, { freq: 2 }), manual: fc.boolean(), twice: fc.boolean(), calmly: fc.boolean() })
  .map(create);

/** What the merchant's program does. `calmly`: everything it has ordered is let end before the next step. */
export const merchantSteps: readonly { readonly weight: number; readonly arbitrary: fc.Arbitrary<Step> }[] = [
  { weight: 4, arbitrary: creation },
  { weight: 3, arbitrary: fc.record({ of: pick, paymentMethod: card, calmly: fc.boolean() }).map(pay) },
  { weight: 3, arbitrary: fc.record({ of: pick, amount, calmly: fc.boolean() }).map(capture) },
  { weight: 1, arbitrary: fc.record({ of: pick, calmly: fc.boolean() }).map(cancel) },
  { weight: 7, arbitrary: fc.record({ of: pick, amount, calmly: fc.boolean() }).map(refund) },
  { weight: 2, arbitrary: fc.record({ of: pick, amount, verbs: fc.tuple(verb(), verb()) }).map(race) },
];

/** A step on one of the orders, for as long as there is one. */
export function onOrder(name: string, of: number, run: (sequence: Sequence, order: ModelOrder, model: Model) => Promise<unknown>): Step {
  return {
    check: ({ orders }) => orders.length > 0,
    run: async (model, sequence) => {
      const order = model.orders[of % model.orders.length];
      assert.ok(order);
      await run(sequence, order, model);
    },
    toString: () => `${name} of ${of}`,
  };
}

function create({
  paymentMethod,
  manual,
  twice,
  calmly,
}: {
  paymentMethod: string | null;
  manual: boolean;
  twice: boolean;
  calmly: boolean;
}): Step {
  const captureMethod = manual ? 'manual' : 'automatic';
  return {
    check: ({ orders }) => orders.length < ORDERS_MAX,
    run: async (model, sequence) => {
      const body = {
        currency: 'usd',
        items: [{ name: 'T-shirt', unitAmount: AMOUNT, quantity: 1 }],
        captureMethod,
        ...(paymentMethod === null ? {} : { paymentMethod }),
      };
      const { id } = await sequence.create(body, twice);
      model.orders.push({ id, amount: AMOUNT, isCaptureAccepted: false, refunds: [] });
      await end(calmly, model, sequence);
    },
    toString: () => `create(${paymentMethod ?? 'for the browser'}, ${captureMethod}${twice ? ', twice' : ''})${suffix(calmly)}`,
  };
}

function pay({ of, paymentMethod, calmly }: { of: number; paymentMethod: string; calmly: boolean }): Step {
  return onOrder(`pay(${paymentMethod})${suffix(calmly)}`, of, async (sequence, order, model) => {
    await sequence.command(order, 'pay', null, { paymentMethod });
    await end(calmly, model, sequence);
  });
}

function capture({ of, amount: sum, calmly }: { of: number; amount: number | null; calmly: boolean }): Step {
  return onOrder(`capture(${sum ?? 'all'})${suffix(calmly)}`, of, async (sequence, order, model) => {
    await sequence.command(order, 'capture', sum);
    await end(calmly, model, sequence);
  });
}

function cancel({ of, calmly }: { of: number; calmly: boolean }): Step {
  return onOrder(`cancel${suffix(calmly)}`, of, async (sequence, order, model) => {
    await sequence.command(order, 'cancel', null);
    await end(calmly, model, sequence);
  });
}

function refund({ of, amount: sum, calmly }: { of: number; amount: number | null; calmly: boolean }): Step {
  return onOrder(`refund(${sum ?? 'the rest'})${suffix(calmly)}`, of, async (sequence, order, model) => {
    await sequence.command(order, 'refunds', sum);
    await end(calmly, model, sequence);
  });
}

function verb(): fc.Arbitrary<Verb> {
  return fc.constantFrom('pay', 'capture', 'cancel', 'refunds', 'refunds');
}

/** Two commands at once: the order's row decides which is first. */
function race({ of, amount: sum, verbs }: { of: number; amount: number | null; verbs: readonly [Verb, Verb] }): Step {
  return onOrder(`race(${verbs.join(' and ')}, ${sum ?? 'all'})`, of, async (sequence, order) => {
    await Promise.all(
      verbs.map((name) => {
        const takesAmount = name === 'refunds' || name === 'capture';
        return sequence.command(order, name, takesAmount ? sum : null, name === 'pay' ? { paymentMethod: 'pm_card_visa' } : {});
      }),
    );
  });
}

/** A stopped worker ends nothing. */
async function end(calmly: boolean, { isWorkerRunning }: Model, sequence: Sequence): Promise<void> {
  if (calmly && isWorkerRunning) await sequence.calm();
}

function suffix(calmly: boolean): string {
  return calmly ? ', calmly' : '';
}
