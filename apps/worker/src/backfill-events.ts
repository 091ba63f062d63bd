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
      const progress = await backfill(payments, turn, relay, restMs);
      if (progress.cursorAt !== null) restMs = (performance.now() - startedAt) / OVERLAP_SHARE;
      return progress;
    },
  };
}

/**
 * Looks through the list from the cursor less the overlap, and moves the cursor; so does every turn where events are few. Where they are
 * many, such a look is followed by `restMs`, but never more than the overlap, in which turns only look at what came since the one
 * before. Each reads its part of the list to the end: an event that was lost may stand behind a hundred that were not.
 */
async function backfill(
  { database, gateway, clock, entropy, logger }: Payments,
  turn: Turn,
  relay: Loop,
  restMs: number,
): Promise<Progress> {
  await clock.refresh();
  const now = clock.now();
  const cursor = turn.cursorAt ?? (await firstOrderAt(database.autocommit)) ?? now;
  const isWhole = turn.lookedAt === null || now.getTime() - cursor.getTime() >= Math.min(restMs, OVERLAP_MS);
  const from = isWhole ? cursor.getTime() - OVERLAP_MS : turn.lookedAt.getTime() - MARGIN_MS;
  const since = new Date(Math.max(from, now.getTime() - REACH_MS));
  let after: string | null = null;
  for (;;) {
    const page: Awaited<ReturnType<typeof gateway.listEvents>> = await gateway.listEvents(since, after);
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
    if (page.next === null) return { cursorAt: isWhole ? now : null, lookedAt: now };
    if (turn.isStopping()) throw new Error('stopped before the end of the list');
    after = page.next;
  }

  async function store(missing: readonly SignedEvent[]): Promise<void> {
    for (const event of missing) {
      await receiveEvent(database.autocommit, event, subjectOf(event.type) === null ? null : entropy.uuid(), clock.now());
    }
  }
}
