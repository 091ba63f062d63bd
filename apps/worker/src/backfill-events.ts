import { firstOrderAt } from '#libs/orders';
import { type Payments, type SignedEvent } from '#libs/payments';
import { effect } from '#libs/primitives';
import { knownEvents, receiveEvent, subjectOf } from '#libs/webhooks';
import { type Loop } from './loop.js';
import { type ScheduledTask, type Turn } from './schedule.js';
import { type Progress } from './schedule.store.js';

/** An event may show in the list long after its second, and clocks differ: what is this old has been looked at many times. */
const OVERLAP_MS = 300_000;
/** Most show at once: this far a look goes back behind the one before it. */
const MARGIN_MS = 10_000;
/** Stripe forgets events after this. Source: docs.stripe.com/api/events/list. */
const REACH_MS = 30 * 86_400_000;

/**
 * Takes in the events whose webhooks never came: lists Stripe's from where the last look ended, and puts what is not there yet
 * into the inbox, as the webhook would have.
 */
export function backfillEvents(payments: Payments, everySeconds: number, relay: Loop): ScheduledTask {
  return {
    name: 'backfill-events',
    everySeconds,
    firstAfterSeconds: 0,
    run: (turn) => backfill(payments, turn, relay),
  };
}

/**
 * Looks through the list from the cursor less the overlap, and moves the cursor, once the cursor is as old as the overlap; a turn
 * in between looks at what came since the one before it. Each reads its part of the list to the end: an event that was lost
 * may stand behind a hundred that were not. So an idle turn is one call, and a busy one costs what came since.
 */
async function backfill({ database, gateway, clock, entropy, logger }: Payments, turn: Turn, relay: Loop): Promise<Progress> {
  await clock.refresh();
  const now = clock.now();
  const cursor = turn.cursorAt ?? (await firstOrderAt(database.autocommit)) ?? now;
  const isWhole = turn.lookedAt === null || now.getTime() - cursor.getTime() >= OVERLAP_MS;
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
      await receiveEvent(database.autocommit, event, subjectOf(event.type) === null ? null : entropy.uuid(), now);
    }
  }
}
