import { firstOrderAt } from '#libs/orders';
import { type Payments, type SignedEvent } from '#libs/payments';
import { effect } from '#libs/primitives';
import { knownEvents, receiveEvent, subjectOf } from '#libs/webhooks';
import { type Loop } from './loop.js';
import { type ScheduledTask, type Turn } from './schedule.js';
import { type Progress } from './schedule.store.js';

/** An event may show in the list long after its second, and clocks differ: a look goes this far back behind the cursor. */
const OVERLAP_MS = 300_000;
/** Where that would cost too much, a look goes this far back behind the one before it: most events show at once. */
const MARGIN_MS = 10_000;
/** The part of all time that looks through the whole overlap may take. */
const OVERLAP_SHARE = 0.1;
/** Stripe forgets events after this. Source: docs.stripe.com/api/events/list. */
const REACH_MS = 30 * 86_400_000;

/**
 * Takes in the events whose webhooks never came: lists Stripe's from where the last look ended, and puts what is not there yet
 * into the inbox, as the webhook would have.
 */
export function backfillEvents(payments: Payments, everySeconds: number, relay: Loop): ScheduledTask {
  let restMs = 0;
  return {
    name: 'backfill-events',
    everySeconds,
    firstAfterSeconds: 0,
    run: async (turn) => {
      const startedAt = performance.now();
      const progress = await backfill(payments, turn, relay, { everyMs: everySeconds * 1_000, restMs });
      if (progress.cursorAt !== null) restMs = (performance.now() - startedAt) / OVERLAP_SHARE;
      return progress;
    },
  };
}

/**
 * Looks through the list from the cursor less the overlap, and moves the cursor; so does every turn where events are few. Where they are
 * many, such a look is followed by `restMs`, but never more than the overlap, in which turns only look at what came since the one
 * before; so does a look that takes longer than a turn, in between.
 */
async function backfill(
  payments: Payments,
  turn: Turn,
  relay: Loop,
  { everyMs, restMs }: { readonly everyMs: number; readonly restMs: number },
): Promise<Progress> {
  const { database, clock } = payments;
  await clock.refresh();
  const now = clock.now();
  const cursor = turn.cursorAt ?? (await firstOrderAt(database.autocommit)) ?? now;
  const isWhole = turn.lookedAt === null || now.getTime() - cursor.getTime() >= Math.min(restMs, OVERLAP_MS);
  const from = isWhole ? cursor.getTime() - OVERLAP_MS : turn.lookedAt.getTime() - MARGIN_MS;
  let lookedAt = now;
  const lookAtLatest = async (): Promise<void> => {
    const since = lookedAt.getTime();
    if (clock.now().getTime() - since < everyMs) return;
    lookedAt = clock.now();
    await lookThrough(payments, turn, relay, since - MARGIN_MS);
  };
  await lookThrough(payments, turn, relay, Math.max(from, now.getTime() - REACH_MS), lookAtLatest);
  return { cursorAt: isWhole ? now : null, lookedAt };
}

/**
 * Takes in what is missing of the list since `fromMs`, to its end: an event that was lost may stand behind a hundred that were not.
 * `between` runs before each further page.
 */
async function lookThrough(
  { database, gateway, clock, entropy, logger }: Payments,
  turn: Turn,
  relay: Loop,
  fromMs: number,
  between?: () => Promise<void>,
): Promise<void> {
  let after: string | null = null;
  for (;;) {
    const page: Awaited<ReturnType<typeof gateway.listEvents>> = await gateway.listEvents(new Date(fromMs), after);
    if (page.unreadable > 0) logger.error({ count: page.unreadable }, 'Stripe listed events that cannot be read; they are left out');
    const known = await knownEvents(
      database.autocommit,
      page.items.map(({ id }) => id),
    );
    const missing = page.items.filter(({ id }) => !known.has(id));
    if (missing.length > 0) {
      await effect('worker.backfill.commit', () => store(missing));
      logger.debug({ count: missing.length }, 'took in events that no webhook had brought yet');
      relay.wake();
    }
    if (page.next === null) return;
    if (turn.isStopping()) throw new Error('stopped before the end of the list');
    after = page.next;
    await between?.();
  }

  async function store(missing: readonly SignedEvent[]): Promise<void> {
    for (const event of missing) {
      await receiveEvent(database.autocommit, event, subjectOf(event.type) === null ? null : entropy.uuid(), clock.now());
    }
  }
}
