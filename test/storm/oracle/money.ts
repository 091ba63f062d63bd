import { acknowledged } from '../history.js';
import { Check, type Dump, ELSEWHERE, type Evidence, grouped, type JournalEntry, type Verdict } from './evidence.js';

type Effect = Extract<JournalEntry, { kind: 'effect' }>;

/** R5: at most one successful charge per order, of its amount; never more captured. */
export function chargedOnce({ history, journal, stripe, dump }: Evidence): Verdict {
  const check = new Check('R5', 'at most one charge per order, of its amount and currency');
  const asked = new Map<string, { readonly amount: number | null; readonly currency: string | null }>();
  for (const command of history.commands) {
    const location = command.verb === 'create' ? (acknowledged(command)?.location ?? null) : null;
    if (location !== null) asked.set(location.replace('/v1/orders/', ''), command);
  }
  const effects = grouped(effectsOf(journal), ({ paymentIntent }) => paymentIntent);
  const orders = new Map(dump.orders.map((order) => [order.id, order]));
  for (const [orderId, intents] of grouped(stripe.intents, ({ metadata }) => metadata['oncepay_order'] ?? null)) {
    const moved = intents.flatMap(({ id }) => effects.get(id) ?? []);
    const charges = moved.filter(({ type }) => type === 'authorized' || type === 'debit_pending');
    check.that(charges.length <= 1, () => `the order ${orderId} was charged ${charges.length} times`);
    const { amount, currency } = asked.get(orderId) ?? orders.get(orderId) ?? { amount: 0, currency: null };
    for (const charge of charges)
      check.that(
        charge.amount === amount && charge.currency === currency,
        () => `the order ${orderId} of ${amount} ${currency} was charged ${charge.amount} ${charge.currency}`,
      );
    const captured = sum(moved.filter(({ type }) => type === 'captured'));
    check.that(captured <= (amount ?? 0), () => `of the order ${orderId} of ${amount}, ${captured} was captured`);
  }
  return check.verdict();
}

/** R6: at no instant were more refunds ordered than was captured and neither returned nor on its way. */
export function refundsFit({ history, journal, dump }: Evidence): Verdict {
  const check = new Check('R6', 'refunds never exceed what was captured');
  for (const [intent, effects] of grouped(effectsOf(journal), ({ paymentIntent }) => paymentIntent)) {
    let captured = 0;
    const returned = new Map<string, number>();
    for (const { type, amount, refund } of effects) {
      if (type === 'captured') captured += amount;
      if (refund === null) continue;
      if (type === 'refund_pending' || type === 'refunded') returned.set(refund, amount);
      else if (type === 'refund_failed' || type === 'refund_canceled') returned.delete(refund);
      const total = [...returned.values()].reduce((all, each) => all + each, 0);
      check.that(total <= captured, () => `of ${captured} captured on ${intent}, ${total} was returned`);
    }
  }
  const refunds = new Map(dump.refunds.map((refund) => [`/v1/refunds/${refund.id}`, refund]));
  const accepted = new Map<string, number>();
  for (const command of history.commands) {
    const location = command.verb === 'refund' ? (acknowledged(command)?.location ?? null) : null;
    const refund = location === null ? undefined : refunds.get(location);
    // What one that came to nothing had held became free again.
    if (refund === undefined || FREED.includes(refund.status)) continue;
    accepted.set(refund.order, (accepted.get(refund.order) ?? 0) + (command.amount ?? refund.amount));
  }
  const captured = new Map(dump.orders.map((order) => [order.id, order.captured]));
  for (const [order, total] of accepted)
    check.that(
      total <= (captured.get(order) ?? 0),
      () => `of ${captured.get(order)} captured for ${order}, refunds of ${total} were accepted`,
    );
  reservationsFit(check, dump, captured);
  return check.verdict();
}

const FREED = ['failed', 'canceled'];

/** Whenever a command reserved a refund, it and all that was known and had not come to nothing fitted. */
function reservationsFit(check: Check, { timeline }: Dump, captured: ReadonlyMap<string, number>): void {
  const told = timeline.filter(({ type }) => type.startsWith('refund.'));
  for (const [order, rows] of grouped(told, (row) => row.order)) {
    const held = new Map<string, number>();
    for (const { refund, amount, from, to, cause } of rows) {
      if (refund === null) continue;
      if (FREED.includes(to ?? '')) held.delete(refund);
      else held.set(refund, amount ?? 0);
      if (from !== null || !cause.startsWith('command:')) continue;
      const total = [...held.values()].reduce((all, each) => all + each, 0);
      check.that(
        total <= (captured.get(order) ?? 0),
        () => `when ${refund} was reserved, ${total} of ${captured.get(order)} captured for ${order} were held`,
      );
    }
  }
}

/** DESIGN 1.2: no write at Stripe without a row that ordered it, under that row's key alone. */
export function writesAreOrdered({ journal, dump }: Evidence): Verdict {
  const check = new Check('R2', 'every write at Stripe was ordered by a row, under its own key');
  const generations = new Map(dump.operations.map(({ id, generation }) => [id, generation]));
  const paths = new Map<string, string>();
  for (const entry of journal) {
    if (entry.kind !== 'request' || entry.method !== 'POST' || !entry.executed) continue;
    const { idempotencyKey: key, path } = entry;
    if (key?.startsWith(ELSEWHERE)) continue;
    if (key === null) {
      check.that(!WRITES.test(path), () => `POST ${path} was sent without a key`);
      continue;
    }
    const [, operation = '', generation = ''] = /^(op_\w+)-(\d+)$/.exec(key) ?? [];
    const known = generations.get(operation);
    check.that(known !== undefined && Number(generation) <= known, () => `POST ${path} under ${key} was ordered by no row`);
    check.that((paths.get(key) ?? path) === path, () => `the key ${key} was used for ${path} and ${paths.get(key)}`);
    paths.set(key, path);
  }
  return check.verdict();
}

/** What only we do; buyers' browsers confirm without a key. */
const WRITES = /^\/v1\/(payment_intents|refunds|checkout\/sessions|customers|payment_intents\/\w+\/(capture|cancel))$/;

function effectsOf(journal: readonly JournalEntry[]): readonly Effect[] {
  return journal.filter((entry): entry is Effect => entry.kind === 'effect');
}

function sum(effects: readonly Effect[]): number {
  return effects.reduce((total, { amount }) => total + amount, 0);
}
