import { type Mode } from '#libs/config';
import { type JobOutcome } from '#libs/jobs';
import { findAccountId, findRequest, isPassing, observeEvent, type Payments, recordDiscrepancy, StripeFailure } from '#libs/payments';
import { effect } from '#libs/primitives';
import { correlate } from '#libs/telemetry';
import { type EventPostponement, loadEvent, postponeEvent, settleEvent, subjectOf } from '#libs/webhooks';

type InboxEvent = NonNullable<Awaited<ReturnType<typeof loadEvent>>>;
type OpenEvent = InboxEvent & Pick<EventPostponement, 'status'>;
type End = { readonly status: 'applied' | 'ignored' | 'parked'; readonly note: string | null };

/** Ours by its metadata, yet without a row for this long: the row will not come. */
const HOLD_MS = 3_600_000;
/** An event that fails this often for a reason of its own needs a person; neither holds nor outages are counted. */
const ATTEMPTS = 10;
const DELAY_MIN_MS = 500;
const HOLD_DELAY_MAX_MS = 5_000;
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
  try {
    const end = await endOf(payments, own, event);
    if (end !== 'held') return await settle(payments, event, end);
    return await putOff(payments, event, {
      status: 'held',
      note: 'its object is not known yet',
      delayMs: asLongAgainMs(payments, event, HOLD_DELAY_MAX_MS),
      delayedBy: null,
      spendsAttempt: false,
    });
  } catch (error) {
    return putOffOrPark(payments, event, error);
  }
}

/** What an event has failed by says whether it is tried again for ever, or only so often. */
async function putOffOrPark(payments: Payments, event: OpenEvent, error: unknown): Promise<JobOutcome> {
  const note = error instanceof Error ? error.message : String(error);
  payments.logger.warn({ error, eventId: event.id, type: event.type }, 'an event could not be applied');
  const spendsAttempt = !isPassing(error);
  if (spendsAttempt && event.attempts + 1 >= ATTEMPTS) return settle(payments, event, { status: 'parked', note });
  const { retryAfterMs, delayedBy } = error instanceof StripeFailure ? error : { retryAfterMs: null, delayedBy: null };
  // What a breaker has counted comes again soon: once it opens, it says when.
  const delayMs = retryAfterMs ?? (delayedBy === null ? asLongAgainMs(payments, event, RETRY_DELAY_MAX_MS) : DELAY_MIN_MS);
  return putOff(payments, event, { status: event.status, note, delayMs, delayedBy, spendsAttempt });
}

async function settle({ database, clock, logger }: Payments, event: OpenEvent, { status, note }: End): Promise<JobOutcome> {
  await effect('worker.event.mark', () => settleEvent(database.autocommit, event.id, status, note, clock.now()));
  if (status === 'parked') logger.error({ eventId: event.id, type: event.type, note }, 'an event was parked; a person must decide');
  return { outcome: 'done' };
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

/** Until the next look: as long as it has waited already, within bounds. */
function asLongAgainMs({ clock }: Payments, { receivedAt }: InboxEvent, maxMs: number): number {
  return Math.min(maxMs, Math.max(DELAY_MIN_MS, clock.now().getTime() - receivedAt.getTime()));
}
