/**
 * Every place where the outside world changes or learns something. Before and after each lies a failpoint, at which a
 * test can let the process die: the proof that no single crash loses or repeats money runs through all of them.
 */
export const EFFECTS = {
  'api.order.commit': 'the one transaction of a new order: key, order, payment, operations, timeline, outbox',
  'api.order.answer': 'the HTTP answer to POST /v1/orders',
  'api.command.commit': 'the one transaction of a command on an order: key, operation, timeline, outbox',
  'api.command.answer': 'the HTTP answer to such a command',
  'api.outbox.notify': 'the wake-up call to the relay',
  'api.admin.commit':
    'the one transaction of what a merchant or an operator changes: a price, an API key, an action with its line in the audit trail',
  'api.admin.answer': 'the HTTP answer to such a change',
  'api.webhook.commit': 'the one transaction of a received event: inbox row and outbox row',
  'api.webhook.answer': 'the HTTP answer to POST /webhooks/stripe',
  'worker.relay.claim': 'the claim of a batch of outbox rows',
  'worker.relay.add': 'the addition of that batch to the queue',
  'worker.relay.delete': 'the deletion of the outbox rows that reached the queue',
  'worker.operation.claim': 'lease and fence of a payment operation',
  'worker.operation.mark-sent': 'firstSentAt, committed before the first byte leaves',
  'worker.operation.postpone': 'the commit that says when an operation is tried again',
  'worker.stripe.customer': 'the call that makes a Customer',
  'worker.stripe.create': 'the call that creates a PaymentIntent or a Checkout Session',
  'worker.stripe.confirm': 'the call that confirms a PaymentIntent',
  'worker.stripe.capture': 'the call that captures a PaymentIntent',
  'worker.stripe.cancel': 'the call that cancels a PaymentIntent or expires a Checkout Session',
  'worker.stripe.refund': 'the call that makes a Refund',
  'worker.stripe.read': 'a read of one object of Stripe',
  'worker.stripe.list': 'a read of one page of a list of Stripe',
  'worker.observation.commit': 'the one transaction of an observation: operation, payment, order, timeline',
  'worker.discrepancy.commit': 'the note of a contradiction that a person must decide',
  'worker.event.postpone': 'the commit that says when an event is tried again',
  'worker.event.mark': 'the mark that an event of the inbox was dealt with',
  'worker.sweep.commit': 'new outbox rows for what is overdue',
  'worker.backfill.commit': 'events that no webhook brought, on their way into the inbox',
  'worker.reconciliation.commit': 'what a reconciliation claims, orders and reports',
  'worker.schedule.commit': 'the commit that says how far a turn of a scheduled task came',
  'worker.expiry.commit': 'the one transaction that orders the cancellation of an expired order',
} as const;

/** The name of an effect. */
export type EffectName = keyof typeof EFFECTS;

const MOMENTS = ['before', 'after'] as const;

/** Every failpoint by name: each effect with `.before` and `.after`. */
export const FAILPOINTS: readonly string[] = Object.keys(EFFECTS).flatMap((name) => MOMENTS.map((moment) => `${name}.${moment}`));

let armed: { name: string; remaining: number } | null = null;

/** Takes `name` or `name:nth` apart. Throws when there is no such failpoint, or when nth is no count. */
export function parseFailpoint(spec: string): { readonly name: string; readonly nth: number } {
  const [name = '', nth = '1', ...more] = spec.split(':');
  if (!FAILPOINTS.includes(name)) throw new Error(`there is no failpoint "${name}"`);
  if (!/^[1-9]\d*$/.test(nth) || more.length > 0) throw new Error(`"${[nth, ...more].join(':')}" is no count of a failpoint`);
  return { name, nth: Number(nth) };
}

/**
 * Lets this process die by SIGKILL when the named failpoint is reached for the nth time. Throws what `parseFailpoint`
 * throws. For tests only; production configuration refuses it.
 */
export function armFailpoint(spec: string): void {
  const { name, nth } = parseFailpoint(spec);
  armed = { name, remaining: nth };
}

/** Passes one side of an effect that cannot be wrapped by `effect`, such as an HTTP answer. */
export function reach(name: EffectName, moment: (typeof MOMENTS)[number]): void {
  if (armed?.name !== `${name}.${moment}` || --armed.remaining > 0) return;
  process.kill(process.pid, 'SIGKILL');
  // The signal may take a moment to arrive; nothing may run in it, as after a real crash.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** Runs one effect between its two failpoints. */
export async function effect<T>(name: EffectName, run: () => Promise<T>): Promise<T> {
  reach(name, 'before');
  const result = await run();
  reach(name, 'after');
  return result;
}
