import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Model, type ModelOrder, type OrderSeen, PAID, type Verb } from './model.js';
import { type Sequence } from './sequence.js';

/** One step of a sequence. */
export type Step = fc.AsyncCommand<Model, Sequence>;

/** A sequence has few orders, so that much happens to each. */
const ORDERS_MAX = 3;
const AMOUNT = 2_000;
const AN_ITEM = { currency: 'usd', items: [{ name: 'T-shirt', unitAmount: AMOUNT, quantity: 1 }] };

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

/** What begins every sequence. Without a payment method the buyer pays in the browser, or on the page of a Checkout Session. */
export const creation: fc.Arbitrary<Step> = fc
  .record({
    paymentMethod: fc.option(card, { freq: 2 }),
    hosted: fc.boolean(),
    manual: fc.boolean(),
    saveCard: fc.boolean(),
    twice: fc.boolean(),
    calmly: fc.boolean(),
  })
  .map(create);

/** What the merchant's program does. `calmly`: everything it has ordered is let end before the next step. */
export const merchantSteps: readonly { readonly weight: number; readonly arbitrary: fc.Arbitrary<Step> }[] = [
  { weight: 4, arbitrary: creation },
  { weight: 2, arbitrary: fc.record({ of: pick, calmly: fc.boolean() }).map(chargeAway) },
  { weight: 3, arbitrary: fc.record({ of: pick, paymentMethod: card, calmly: fc.boolean() }).map(pay) },
  { weight: 3, arbitrary: fc.record({ of: pick, amount, calmly: fc.boolean() }).map(capture) },
  { weight: 1, arbitrary: fc.record({ of: pick, calmly: fc.boolean() }).map(cancel) },
  { weight: 4, arbitrary: fc.record({ of: pick, amount, calmly: fc.boolean() }).map(refund) },
  { weight: 10, arbitrary: fc.record({ of: pick, amount, paymentMethod: card, twice: fc.boolean(), calmly: fc.boolean() }).map(goOn) },
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
  hosted,
  manual,
  saveCard,
  twice,
  calmly,
}: {
  paymentMethod: string | null;
  hosted: boolean;
  manual: boolean;
  saveCard: boolean;
  twice: boolean;
  calmly: boolean;
}): Step {
  const captureMethod = manual ? 'manual' : 'automatic';
  const isHosted = hosted && paymentMethod === null;
  return {
    check: ({ orders }) => orders.length < ORDERS_MAX,
    run: async (model, sequence) => {
      const body = {
        ...AN_ITEM,
        captureMethod,
        ...(paymentMethod === null ? {} : { paymentMethod }),
        ...(isHosted ? { checkout: 'hosted', returnUrl: 'https://shop.example/return' } : {}),
        ...(saveCard ? { saveCard, customer: { email: `${crypto.randomUUID()}@example.com` } } : {}),
      };
      model.orders.push(placed(await sequence.create(body, twice), { isHosted, savesCard: saveCard }));
      await end(calmly, model, sequence);
    },
    toString: () =>
      `create(${paymentMethod ?? (isHosted ? 'hosted' : 'for the browser')}, ${captureMethod}${saveCard ? ', save the card' : ''}${twice ? ', twice' : ''})${suffix(calmly)}`,
  };
}

/** A new order on the card that another has left, its holder being away; nothing where none has. */
function chargeAway({ of, calmly }: { of: number; calmly: boolean }): Step {
  const step = onOrder(`charge the saved card${suffix(calmly)}`, of, async (sequence, { id }, model) => {
    const { order } = await sequence.read(id);
    const { stripePaymentIntentId: intentId } = order.payment;
    const customer = order.customer?.stripeCustomerId ?? null;
    if (intentId === null || customer === null || !PAID.includes(order.status)) return;
    // From a list: reads of single intents may be spoiled.
    const card = (await sequence.intents()).find((intent) => intent.id === intentId)?.payment_method;
    const body = { ...AN_ITEM, paymentMethod: card, offSession: true, customer: { stripeCustomerId: customer } };
    model.orders.push(placed(await sequence.create(body, false), { isHosted: false, savesCard: false }));
    await end(calmly, model, sequence);
  });
  return { ...step, check: ({ orders }) => orders.some(({ savesCard }) => savesCard) && orders.length < ORDERS_MAX };
}

function placed({ id }: OrderSeen, { isHosted, savesCard }: Pick<ModelOrder, 'isHosted' | 'savesCard'>): ModelOrder {
  return {
    id,
    amount: AMOUNT,
    isHosted,
    savesCard,
    captured: null,
    isCancelAccepted: false,
    isExpiredThere: false,
    refunds: [],
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

/** What fits the order as it is, so that its life goes on; `twice`: two at once, each under a key of its own, as from two clerks. */
function goOn({
  of,
  amount: sum,
  paymentMethod,
  twice,
  calmly,
}: {
  of: number;
  amount: number | null;
  paymentMethod: string;
  twice: boolean;
  calmly: boolean;
}): Step {
  return onOrder(
    `go on(${sum ?? 'all'}, ${paymentMethod}${twice ? ', twice' : ''})${suffix(calmly)}`,
    of,
    async (sequence, target, model) => {
      const { order } = await sequence.read(target.id);
      const fits = verbFor(order);
      if (fits === null) return;
      const send = (): Promise<void> =>
        sequence.command(target, fits, fits === 'pay' ? null : sum, fits === 'pay' ? { paymentMethod } : {});
      await Promise.all([send(), ...(twice ? [send()] : [])]);
      await end(calmly, model, sequence);
    },
  );
}

function verbFor({ status, checkout }: OrderSeen): Verb | null {
  if (status === 'requires_payment') return checkout === 'hosted' ? null : 'pay';
  if (status === 'authorized') return 'capture';
  return PAID.includes(status) ? 'refunds' : null;
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
