import { type Stripe } from 'stripe';
import { uuidOf } from '#libs/primitives';
import { waitFor } from '../support/wait-for.js';
import { type Model } from './model.js';
import { type Sequence } from './sequence.js';
import { shuffled } from './shuffled.js';

/** The simulator delivers an event again within seconds; a busy machine takes its time. */
const HEARD_WITHIN_MS = 90_000;

/**
 * What a sequence hears in the end of what it has not heard: every event, only the last of every object, or none at all. The others are
 * lost for ever; of what was lost altogether a reconciliation finds out.
 */
export const HEARINGS = ['every event', 'the last events', 'nothing'] as const;

/** How a sequence hears in the end what it has not heard. */
interface Hearing {
  readonly hearsInTheEnd: (typeof HEARINGS)[number];
  /** Decides in which order. */
  readonly order: number;
}

/**
 * Ends all troubles and lets everything that is under way end. Nothing of ours looks for events that never came, so the
 * simulator is asked to deliver them: in any order, and those that came before once more. A reconciliation looks two days back, and
 * not at disputes.
 */
export async function heal(sequence: Sequence, { leaps }: Model, { hearsInTheEnd, order }: Hearing): Promise<void> {
  const { stack } = sequence;
  await stack.control('/_sim/faults', undefined, 'DELETE');
  await stack.control('/_sim/webhooks', undefined, 'DELETE');
  await stack.startWorker();
  await sequence.calm();
  const events = await sequence.events();
  const isRead = hearsInTheEnd === 'nothing' && leaps === 0;
  const last = lastOfEach(events).filter(({ type }) => !isRead || type.startsWith('charge.dispute.'));
  const heard = shuffled(hearsInTheEnd === 'every event' ? events : last, order);
  for (const { id } of heard) await stack.control('/_sim/webhooks', { action: 'resend', event: id });
  await waitFor(
    'the events to arrive',
    () =>
      areStored(
        sequence,
        heard.map(({ id }) => id),
      ),
    HEARD_WITHIN_MS,
  );
  await sequence.calm();
  if (isRead) await reconcile(sequence);
  await expireDue(sequence);
}

async function reconcile(sequence: Sequence): Promise<void> {
  const { json } = await sequence.ask('/v1/ops/reconciliations', { body: { dryRun: false } });
  await waitFor(
    'our record to have been compared with Stripe',
    async () => (await sequence.ask(`/v1/ops/reconciliations/${String(json['id'])}`)).json['status'] === 'done',
    HEARD_WITHIN_MS,
  );
}

/** What was said last of every intent, session, refund and dispute. */
function lastOfEach(events: readonly Stripe.Event[]): readonly Stripe.Event[] {
  const telling = events.filter(
    ({ type }) => /^(payment_intent|checkout\.session|refund|charge\.dispute)\./.test(type) && type !== 'payment_intent.created',
  );
  return [...new Map(telling.map((event) => ['id' in event.data.object ? event.data.object.id : event.id, event])).values()];
}

async function areStored({ stack }: Sequence, ids: readonly string[]): Promise<boolean> {
  const rows = await stack.database.query('SELECT 1 FROM webhook_events WHERE id = ANY ($1::text[])', [ids]);
  return rows.length === ids.length;
}

/** A worker that starts looks for expired orders at once. Of what a completed session left unpaid, Stripe refuses the end. */
async function expireDue(sequence: Sequence): Promise<void> {
  const { stack, orderIds } = sequence;
  const now = await sequence.nowAtStripe();
  const due = (): Promise<object[]> =>
    stack.database.query(
      `SELECT 1 FROM orders o WHERE id = ANY ($1::uuid[]) AND status IN ('requires_payment', 'requires_action') AND expires_at < $2
         AND NOT EXISTS (SELECT 1 FROM payment_operations op WHERE op.order_id = o.id AND (op.status = 'parked'
           OR (o.checkout = 'hosted' AND op.kind = 'cancel' AND op.ordered_by = 'expiry' AND op.status = 'rejected')))`,
      [orderIds.map((id) => uuidOf('ord', id)), now],
    );
  if ((await due()).length === 0) return;
  await stack.stopWorker();
  await stack.startWorker();
  await waitFor(
    'orders to expire',
    async () => {
      await sequence.calm();
      return (await due()).length === 0;
    },
    HEARD_WITHIN_MS,
  );
}
