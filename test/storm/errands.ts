import { type Buyers } from './buyers.js';
import { type KnownOrder } from './history.js';
import { CANARIES } from './secrets.js';

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
];

async function payByCard(buyers: Buyers): Promise<void> {
  const placed = await buyers.create({ account: buyers.newAccount(), key: buyers.newKey(), extra: CARD });
  if (placed === null) return;
  const { order, command } = placed;
  if (buyers.chance.happens(0.08)) await buyers.client.otherRequest(command, command.body.replace('"usd"', '"eur"'));
  if (buyers.chance.happens(0.05)) await trespass(buyers, order);
  if (buyers.chance.happens(0.5) && (await buyers.becomes(order, 'paid')) !== null) await refundSome(buyers, order);
}

/** Refunds part or all, one after another or at once: at once they may ask for more than there is. */
async function refundSome(buyers: Buyers, order: KnownOrder): Promise<void> {
  const { chance } = buyers;
  const part = Math.max(1, Math.floor(order.amount * 0.6));
  if (chance.happens(0.3)) {
    await Promise.all([buyers.act(order, 'refund', { amount: part }), buyers.act(order, 'refund', { amount: part })]);
  } else if (chance.happens(0.5)) {
    await buyers.act(order, 'refund');
  } else {
    await buyers.act(order, 'refund', { amount: chance.between(1, part) });
    if (chance.happens(0.5)) await buyers.act(order, 'refund', { amount: chance.between(1, part) });
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
  else await buyers.act(order, 'capture', chance.happens(0.5) ? {} : { amount: chance.between(1, order.amount) });
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
  const same = buyers.chance.happens(0.7) ? { unitAmount: 1_000 } : {};
  await Promise.all(
    ([0, 1] as const).map(async (account) => {
      const placed = await buyers.create({ account, key, ...same, extra: CARD });
      if (placed !== null) await buyers.client.once(placed.command);
    }),
  );
}

/** The other account knows the id, by whatever accident. */
async function trespass({ client, history }: Buyers, { id, account }: KnownOrder): Promise<void> {
  for (const path of [`/v1/orders/${id}`, `/v1/orders/${id}/events`, `/v1/orders/${id}/refunds`]) {
    const answer = await client.read(path, account === 0 ? 1 : 0);
    if (answer !== null && answer.status < 500) history.trespasses.push({ what: `GET ${path}`, status: answer.status });
  }
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
