import { type Mode } from '#libs/config';
import { type JobOutcome } from '#libs/jobs';
import { findAccountId, findRequest, observeEvent, type Payments, recordDiscrepancy, StripeFailure } from '#libs/payments';
import { effect } from '#libs/primitives';
import { correlate } from '#libs/telemetry';
import { type EventPostponement, loadEvent, postponeEvent, settleEvent, subjectOf } from '#libs/webhooks';

type InboxEvent = NonNullable<Awaited<ReturnType<typeof loadEvent>>>;
type OpenEvent = InboxEvent & Pick<EventPostponement, 'status'>;
type End = { readonly status: 'applied' | 'ignored' | 'parked'; readonly note: string | null };

/** Ours by its metadata, yet without a row for this long: the row will not come. */
const HOLD_MS = 3_600_000;
const HOLD_DELAY_MS = 500;
const HOLD_DELAY_MAX_MS = 5_000;
/** An event that fails this often for a reason of its own needs a person; outages are not counted. */
const ATTEMPTS = 10;
const RETRY_DELAY_MAX_MS = 8_000;

/**
 * Applies one event of the inbox through the one door and marks it, in this order: a crash between the two applies it
 * again, which changes nothing. Safe to repeat.
 */
export function applyEvent(payments: Payments, own: { instance: string; mode: Mode }, eventId: string): Promise<JobOutcome> {
  return correlate({ eventId }, () => applyOnce(payments, own, eventId));
}

async function applyOnce(payments: Payments, own: { instance: string; mode: Mode }, eventId: string): Promise<JobOutcome> {
  const event = await loadEvent(payments.database.autocommit, eventId);
  if (event === null || (event.status !== 'received' && event.status !== 'held')) return { outcome: 'done' };
  if (event.nextAttemptAt.getTime() > Date.now()) return { outcome: 'snooze', until: event.nextAttemptAt };
  const requestId = await findRequest(payments, event.object);
  const open = { ...event, status: event.status };
  return correlate(requestId === null ? {} : { requestId }, () => applyOpen(payments, own, open));
}

async function applyOpen(payments: Payments, own: { instance: string; mode: Mode }, event: OpenEvent): Promise<JobOutcome> {
  const { database, clock, logger } = payments;
  try {
    const end = await endOf(payments, own, event);
    if (end === 'held')
      return await putOff(payments, event, {
        status: 'held',
        note: 'its object is not known yet',
        delayMs: backoffMs(event.attempts, HOLD_DELAY_MS, HOLD_DELAY_MAX_MS),
        delayedBy: null,
      });
    await effect('worker.event.mark', () => settleEvent(database.autocommit, event.id, end.status, end.note, clock.now()));
    if (end.status === 'parked')
      logger.error({ eventId: event.id, type: event.type, note: end.note }, 'an event was parked; a person must decide');
    return { outcome: 'done' };
  } catch (error) {
    const note = error instanceof Error ? error.message : String(error);
    logger.warn({ error, eventId: event.id, type: event.type }, 'an event could not be applied');
    if (!(error instanceof StripeFailure) && event.attempts + 1 >= ATTEMPTS) {
      await effect('worker.event.mark', () => settleEvent(database.autocommit, event.id, 'parked', note, clock.now()));
      return { outcome: 'done' };
    }
    const { retryAfterMs, delayedBy } = error instanceof StripeFailure ? error : { retryAfterMs: null, delayedBy: null };
    const delayMs = retryAfterMs ?? backoffMs(event.attempts, HOLD_DELAY_MS, RETRY_DELAY_MAX_MS);
    return putOff(payments, event, { status: event.status, note, delayMs, delayedBy });
  }
}

async function endOf(payments: Payments, { instance, mode }: { instance: string; mode: Mode }, event: InboxEvent): Promise<End | 'held'> {
  if (event.livemode !== (mode === 'live')) return { status: 'ignored', note: 'of the other mode' };
  // Its object may carry our metadata: whoever owns the account writes what they like. No order of ours is paid there.
  if (event.account !== null && event.account !== (await findAccountId(payments.database.autocommit)))
    return { status: 'ignored', note: 'of a connected account' };
  const subject = subjectOf(event.type);
  if (subject === null) return { status: 'ignored', note: 'without effect in this version' };
  const observed = await observeEvent(payments, instance, subject, event.object, `webhook:${event.id}`);
  switch (observed) {
    case 'applied':
    case 'known':
      return { status: 'applied', note: null };
    case 'discrepancy':
      return { status: 'applied', note: 'it contradicts our record: see the discrepancies' };
    case 'foreign':
      return { status: 'ignored', note: 'not ours' };
    case 'orphan':
      return { status: 'ignored', note: 'of an intent that an earlier create left behind' };
    case 'unknown':
      return waitedTooLong(payments, event) ? parkUnknown(payments, event) : 'held';
    case 'unreadable':
      return { status: 'parked', note: 'its object is not what its type says' };
  }
}

function waitedTooLong({ clock }: Payments, { receivedAt }: InboxEvent): boolean {
  return clock.now().getTime() - receivedAt.getTime() > HOLD_MS;
}

async function parkUnknown({ database, clock, entropy }: Payments, event: InboxEvent): Promise<End> {
  const found = {
    id: entropy.uuid(),
    kind: 'object_without_order',
    stripeObjectId: event.objectId ?? event.id,
    orderId: null,
    ours: null,
    stripes: event.object,
    at: clock.now(),
  };
  await effect('worker.discrepancy.commit', () => recordDiscrepancy(database.autocommit, found));
  return { status: 'parked', note: 'ours by its metadata, but no order of ours has this intent' };
}

async function putOff({ database }: Payments, event: InboxEvent, postponement: EventPostponement): Promise<JobOutcome> {
  const dueAt = await effect('worker.event.postpone', () => postponeEvent(database.autocommit, event.id, postponement));
  return dueAt === null ? { outcome: 'done' } : { outcome: 'snooze', until: dueAt };
}

function backoffMs(attempts: number, startMs: number, capMs: number): number {
  return Math.min(capMs, startMs * 2 ** Math.min(attempts, 10));
}
