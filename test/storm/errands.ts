import { type Buyers } from './buyers.js';
import { type KnownOrder } from './history.js';
import { type HttpAnswer, jsonOf } from './requests.js';
import { type AccountNumber, CANARIES } from './secrets.js';

/** What one buyer comes for. */
export interface Errand {
  readonly name: string;
  readonly weight: number;
  run(buyers: Buyers): Promise<void>;
}

const CARD = { paymentMethod: 'pm_card_visa' };
const BY_HAND = { ...CARD, captureMethod: 'manual' };

/** Everything that is done with orders, the common more often than the rare. */
export const ERRANDS: readonly Errand[] = [
  { name: 'pays by card', weight: 34, run: payByCard },
  { name: 'pays in the browser', weight: 16, run: payInBrowser },
  { name: 'pays in the browser with a key of the browser', weight: 6, run: payWithPublishableKey },
  { name: 'is authorized, then captured or canceled', weight: 10, run: captureByHand },
  { name: 'is declined and pays with another card', weight: 8, run: payAgain },
  { name: 'authenticates', weight: 5, run: authenticate },
  { name: 'pays on a hosted page', weight: 6, run: payHosted },
  { name: 'changes their mind', weight: 5, run: changeMind },
  { name: 'clicks twice', weight: 4, run: clickTwice },
  { name: 'uses one key in two accounts', weight: 4, run: shareKey },
  { name: 'types a card number into the reference', weight: 1, run: typeCardNumber },
  { name: 'saves the card', weight: 3, run: saveCard },
  { name: 'is refunded to a card that takes its time, or fails', weight: 4, run: refundSlowly },
  { name: "is refunded in Stripe's dashboard too", weight: 3, run: refundElsewhere },
  { name: 'disputes the charge', weight: 3, run: dispute },
  { name: 'comes too late', weight: 4, run: comeTooLate },
  { name: 'is an operator who replays an event', weight: 2, run: replayEvent },
];

async function payByCard(buyers: Buyers): Promise<void> {
  const placed = await buyers.create({ account: buyers.newAccount(), key: buyers.newKey(), extra: CARD });
  if (placed === null) return;
  const { order, command } = placed;
  if (buyers.chance.happens(0.08)) await buyers.client.otherRequest(command, command.body.replace('T-shirt', 'Shirt'));
  if (buyers.chance.happens(0.05)) await trespass(buyers, order);
  if (buyers.chance.happens(0.5) && (await buyers.becomes(order, 'paid')) !== null) await refundSome(buyers, order);
}

/** Refunds part or all, one after another or at once: at once they may ask for more than there is. */
async function refundSome(buyers: Buyers, order: KnownOrder): Promise<void> {
  const { chance } = buyers;
  const part = buyers.part(order, 0.6);
  if (chance.happens(0.3)) {
    await Promise.all([buyers.act(order, 'refund', { amount: part }), buyers.act(order, 'refund', { amount: part })]);
  } else if (chance.happens(0.5)) {
    await buyers.act(order, 'refund');
  } else {
    const refund = await buyers.act(order, 'refund', { amount: buyers.part(order, 0.6, false) });
    if (refund !== null && chance.happens(0.2)) await lookAsOther(buyers, order, `/v1/refunds/${String(refund['id'])}`);
    if (chance.happens(0.5)) await buyers.act(order, 'refund', { amount: buyers.part(order, 0.6, false) });
  }
  if (chance.happens(0.3)) await buyers.becomes(order, 'refunded', 'partially_refunded');
}

async function payInBrowser(buyers: Buyers): Promise<void> {
  const placed = await buyers.create({ account: buyers.newAccount(), key: buyers.newKey(), extra: {} });
  if (placed !== null) await confirm(buyers, placed.order);
}

async function payWithPublishableKey(buyers: Buyers): Promise<void> {
  const { chance } = buyers;
  const order = { account: buyers.newAccount(), key: buyers.newKey(), quantity: chance.between(1, 4), extra: {} };
  const placed = await buyers.create({ ...order, audience: 'publishable' });
  if (placed !== null) await confirm(buyers, placed.order);
}

async function confirm(buyers: Buyers, order: KnownOrder): Promise<void> {
  const seen = await buyers.until(order, ({ payment }) => payment.clientSecret !== null);
  if (seen === null) return;
  if (buyers.chance.happens(0.2)) await buyers.confirmInBrowser(seen, 'pm_card_chargeDeclined');
  if (buyers.chance.happens(0.9)) await buyers.confirmInBrowser(seen, 'pm_card_visa');
  if (buyers.chance.happens(0.5) && (await buyers.becomes(order, 'paid')) !== null && buyers.chance.happens(0.4))
    await refundSome(buyers, order);
}

async function captureByHand(buyers: Buyers): Promise<void> {
  const placed = await buyers.create({ account: buyers.newAccount(), key: buyers.newKey(), extra: BY_HAND });
  if (placed === null || (await buyers.becomes(placed.order, 'authorized')) === null) return;
  const { order } = placed;
  const { chance } = buyers;
  if (chance.happens(0.25)) await buyers.act(order, 'cancel');
  else await buyers.act(order, 'capture', chance.happens(0.5) ? {} : { amount: buyers.part(order, 1, false) });
  const paid = await buyers.becomes(order, 'paid', 'canceled');
  if (paid?.status === 'paid' && chance.happens(0.4)) await buyers.act(order, 'refund');
}

async function payAgain(buyers: Buyers): Promise<void> {
  const extra = { paymentMethod: 'pm_card_chargeDeclined' };
  const placed = await buyers.create({ account: buyers.newAccount(), key: buyers.newKey(), extra });
  if (placed === null || (await buyers.becomes(placed.order, 'requires_payment')) === null) return;
  await buyers.act(placed.order, 'pay', CARD);
  await buyers.becomes(placed.order, 'paid');
}

async function authenticate(buyers: Buyers): Promise<void> {
  const extra = { paymentMethod: 'pm_card_authenticationRequired', returnUrl: 'https://shop.example/return' };
  const placed = await buyers.create({ account: buyers.newAccount(), key: buyers.newKey(), extra });
  const seen = placed === null ? null : await buyers.becomes(placed.order, 'requires_action');
  if (placed === null || seen === null) return;
  await buyers.authenticate(seen);
  await buyers.becomes(placed.order, 'paid');
}

async function payHosted(buyers: Buyers): Promise<void> {
  const extra = { checkout: 'hosted', returnUrl: 'https://shop.example/return' };
  const placed = await buyers.create({ account: buyers.newAccount(), key: buyers.newKey(), extra });
  const seen = placed === null ? null : await buyers.until(placed.order, ({ payment }) => payment.url !== null);
  if (placed === null || seen === null) return;
  await buyers.payOnPage(seen);
  await buyers.becomes(placed.order, 'paid');
}

async function changeMind(buyers: Buyers): Promise<void> {
  const placed = await buyers.create({ account: buyers.newAccount(), key: buyers.newKey(), extra: {} });
  if (placed === null) return;
  // At once, so that Stripe may not have heard of it yet; or once it has.
  if (buyers.chance.happens(0.5)) await buyers.becomes(placed.order, 'requires_payment');
  await buyers.act(placed.order, 'cancel');
}

async function clickTwice(buyers: Buyers): Promise<void> {
  const command = buyers.newOrder({ account: buyers.newAccount(), key: buyers.newKey(), extra: CARD });
  const answers = await Promise.all([buyers.client.repeat(command), buyers.client.repeat(command), buyers.client.repeat(command)]);
  for (const answer of answers) buyers.placed(command, answer);
}

async function shareKey(buyers: Buyers): Promise<void> {
  const key = buyers.newKey();
  // Often the very same request: then nothing but the account tells the two apart.
  const same = buyers.chance.happens(0.7) ? { unitAmount: 1_000, currency: { code: 'usd', step: 1 } as const } : {};
  await Promise.all(
    ([0, 1] as const).map(async (account) => {
      const placed = await buyers.create({ account, key, ...same, extra: CARD });
      if (placed !== null) await buyers.client.once(placed.command);
    }),
  );
}

/** The other account knows the id, by whatever accident: it looks, sends commands, and lists what it has. */
async function trespass(buyers: Buyers, order: KnownOrder): Promise<void> {
  const { client, chance, history } = buyers;
  const other = otherThan(order);
  const path = `/v1/orders/${order.id}`;
  for (const read of ['', '/events', '/refunds']) await lookAsOther(buyers, order, `${path}${read}`);
  const [command, body] = chance.pick([
    ['pay', CARD],
    ['capture', {}],
    ['cancel', {}],
    ['refunds', {}],
  ] as const);
  note(
    buyers,
    `POST ${path}/${command}`,
    await client.post(`${path}/${command}`, other, { body: JSON.stringify(body), key: buyers.newKey() }),
  );
  const listed = await client.read('/v1/orders?limit=100', other);
  if (listed?.status !== 200) return;
  const { data }: { data: readonly { readonly id: string }[] } = JSON.parse(listed.text);
  const foreign = data.filter(({ id }) => history.orders.get(id)?.account === order.account).map(({ id }) => id);
  history.trespasses.push({ what: 'GET /v1/orders', isRefused: foreign.length === 0, answer: foreign.join() });
}

async function lookAsOther(buyers: Buyers, order: KnownOrder, path: string): Promise<void> {
  note(buyers, `GET ${path}`, await buyers.client.read(path, otherThan(order)));
}

function note({ history }: Buyers, what: string, answer: HttpAnswer | null): void {
  if (answer === null || answer.status >= 500) return;
  history.trespasses.push({ what, isRefused: answer.status === 404, answer: String(answer.status) });
}

function otherThan({ account }: KnownOrder): AccountNumber {
  return account === 0 ? 1 : 0;
}

async function typeCardNumber(buyers: Buyers): Promise<void> {
  const extra = { ...CARD, reference: CANARIES.card };
  await buyers.create({ account: buyers.newAccount(), key: buyers.newKey(), extra });
}

async function saveCard(buyers: Buyers): Promise<void> {
  const extra = { ...CARD, saveCard: true, customer: { email: `${buyers.chance.between(1, 10 ** 9)}@example.com`, name: 'Ada' } };
  const placed = await buyers.create({ account: buyers.newAccount(), key: buyers.newKey(), extra });
  if (placed !== null && buyers.chance.happens(0.3)) await buyers.becomes(placed.order, 'paid');
}

async function refundSlowly(buyers: Buyers): Promise<void> {
  const extra = { paymentMethod: buyers.chance.pick(['pm_card_pendingRefund', 'pm_card_refundFail']) };
  const placed = await buyers.create({ account: buyers.newAccount(), key: buyers.newKey(), extra });
  if (placed !== null && (await buyers.becomes(placed.order, 'paid')) !== null) await refundSome(buyers, placed.order);
}

/**
 * At once with a refund of ours. There is enough for both: were ours too much, and its refusal lost in a 500 that is kept under the key,
 * nothing would be at Stripe, and that counts only after ten minutes, by contract.
 */
async function refundElsewhere(buyers: Buyers): Promise<void> {
  const placed = await buyers.create({ account: buyers.newAccount(), key: buyers.newKey(), extra: CARD });
  const seen = placed === null ? null : await buyers.becomes(placed.order, 'paid');
  if (placed === null || seen === null) return;
  const { order } = placed;
  const part = buyers.part(order, 0.4);
  const ours = buyers.chance.happens(0.5) ? buyers.act(order, 'refund', { amount: part }) : null;
  await Promise.all([ours, buyers.refundElsewhere(seen, part)]);
  await buyers.becomes(order, 'partially_refunded');
}

async function dispute(buyers: Buyers): Promise<void> {
  const { chance } = buyers;
  const card = chance.pick(['createDispute', 'createDisputeProductNotReceived', 'createDisputeInquiry']);
  const placed = await buyers.create({ account: buyers.newAccount(), key: buyers.newKey(), extra: { paymentMethod: `pm_card_${card}` } });
  const seen = placed === null ? null : await buyers.until(placed.order, (order) => order.dispute !== null);
  if (seen !== null && chance.happens(0.7)) await buyers.closeDispute(seen, chance.pick(['succeeded', 'failed']));
}

/** What can never be carried out any more is refused for good, and in the same words again. */
async function comeTooLate(buyers: Buyers): Promise<void> {
  const placed = await buyers.create({ account: buyers.newAccount(), key: buyers.newKey(), extra: CARD });
  if (placed === null || (await buyers.becomes(placed.order, 'paid')) === null) return;
  const [verb, body] = buyers.chance.pick([
    ['cancel', {}],
    ['capture', {}],
    ['pay', CARD],
  ] as const);
  const command = buyers.newCommand(placed.order, verb, body);
  await buyers.client.repeat(command);
  await buyers.client.repeat(command);
}

/** An event that was applied changes nothing when it is applied once more; the audit trail has who asked for it. */
async function replayEvent(buyers: Buyers): Promise<void> {
  const { client, chance } = buyers;
  const account = buyers.newAccount();
  const listed = await client.read('/v1/ops/webhook-events?limit=20&status=applied', account);
  const { data } = jsonOf(listed?.text ?? '');
  if (!Array.isArray(data) || data.length === 0) return;
  const event: unknown = chance.pick(data);
  if (typeof event === 'object' && event !== null && 'id' in event)
    await client.post(`/v1/ops/webhook-events/${String(event.id)}/replay`, account);
}
