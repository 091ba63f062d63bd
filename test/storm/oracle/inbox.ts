import { Check, type Evidence, grouped, type Verdict } from './evidence.js';

/** R9: each event takes effect once; everything Stripe said is stored, webhooks that were lost too, and nothing it did not say. */
export function eventsTakeEffectOnce({ dump, stripe }: Pick<Evidence, 'dump' | 'stripe'>): Verdict {
  const check = new Check('R9', 'each event takes effect once');
  const told = new Map(stripe.events.map((event) => [event.id, event]));
  for (const [id, rows] of grouped(dump.events, (row) => row.id)) {
    check.that(rows.length === 1, () => `the event ${id} is stored ${rows.length} times`);
    check.that(told.has(id), () => `the event ${id} is stored, but Stripe never said it`);
  }
  for (const { id, type, status, livemode } of dump.events) {
    // What was tampered with on its way differs in this.
    check.that(livemode === told.get(id)?.livemode, () => `the event ${id} (${type}) is not stored as Stripe said it`);
    check.that(status === 'applied' || status === 'ignored', () => `the event ${id} (${type}) is ${status}`);
  }
  const stored = new Set(dump.events.map(({ id }) => id));
  for (const id of stripe.delivered) check.that(stored.has(id), () => `the event ${id} was acknowledged, but is not stored`);
  for (const { id, type, pending_webhooks: pending } of stripe.events) {
    check.that(stored.has(id), () => `the event ${id} (${type}) was lost on its way and never looked for`);
    check.that(pending === 0, () => `the event ${id} (${type}) is refused again and again`);
  }
  const effects = dump.timeline.filter(({ cause }) => cause.startsWith('webhook:'));
  for (const [name, rows] of grouped(effects, ({ cause, order, type, from }) => `${cause} ${order} ${type} from ${from}`))
    check.that(rows.length === 1, () => `${name}: ${rows.length} times`);
  return check.verdict();
}

/** R10: the outbox drains; no message that was ever seen to wait still does, and none waits that was not seen. */
export function outboxDrains({ dump, waiting }: Evidence): Verdict {
  const check = new Check('R10', 'the outbox drains');
  const left = new Map(dump.outbox.map(({ id, text }) => [id, text]));
  for (const id of new Set([...waiting, ...left.keys()])) check.that(!left.has(id), () => `left in the outbox: ${left.get(id)}`);
  return check.verdict();
}

/** R12: no secret in any log, metric, job or trace. */
export function nothingTellsSecrets({ scans }: Evidence): Verdict {
  const check = new Check('R12', 'no secret in any log, metric, job or timeline');
  for (const { what, lines, found } of scans) {
    check.facts += lines;
    for (const line of found) check.violations.push(`${what}: ${line}`);
  }
  return check.verdict();
}
