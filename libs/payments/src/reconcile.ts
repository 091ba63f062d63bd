import { setInterval } from 'node:timers';
import { type JobOutcome } from '#libs/jobs';
import { effect, publicId } from '#libs/primitives';
import { type Run } from './compare-with-stripe.js';
import { isPassing } from './passing-failure.js';
import { type Payments } from './payments.js';
import { loadPayment } from './payments.store.js';
import { reconcileIntents, reconcilePayment, reconcileSessions } from './reconcile-payments.js';
import { reconcileRefunds, reconcileRefundsOf } from './reconcile-refunds.js';
import { ReportDraft } from './reconciliation-report.js';
import {
  claimReconciliation,
  type ClaimedReconciliation,
  compareSince,
  finishReconciliation,
  ordersToCompare,
  postponeReconciliation,
  renewReconciliation,
} from './reconciliations.store.js';
import { type Page } from './stripe/stripe-gateway.js';

const HOUR_MS = 3_600_000;
/** What changed within this time is compared even when it is closed: webhooks are retried for no longer than three days. */
const RECENT_MS = 48 * HOUR_MS;
/** What began before the last run may have ended after it, and clocks differ. */
const MARGIN_MS = HOUR_MS;
const PAGE_SIZE = 100;
/** A third of the lease: two renewals may be lost before it is. */
const RENEW_EVERY_MS = 1_000;
const ATTEMPTS = 10;
const RETRY_DELAY_MS = 15_000;

/** Another worker has taken the run over, or this one stops. */
class RunEnded extends Error {
  override readonly name = 'RunEnded';
}

/**
 * Compares every open or recently changed payment and refund with Stripe, both ways, page by page. A difference is repaired
 * through the one door or written down with both values. Safe to repeat: a run that was interrupted starts anew.
 */
export async function runReconciliation(
  payments: Payments,
  instance: string,
  id: string,
  isStopping: () => boolean = () => false,
): Promise<JobOutcome> {
  const { database, clock, logger } = payments;
  await clock.refresh();
  const claimed = await effect('worker.reconciliation.commit', () => claimReconciliation(database.autocommit, id, clock.now()));
  if (claimed === null) return { outcome: 'done' };
  const changedSince = new Date(clock.now().getTime() - RECENT_MS);
  const since = new Date((await compareSince(database.autocommit, changedSince)).getTime() - MARGIN_MS);
  const draft = new ReportDraft(since);
  const cause = `reconciliation:${publicId('rec', id)}`;
  let isOurs = true;
  const heartbeat = setInterval(() => {
    renewReconciliation(database.autocommit, claimed, draft.report()).then(
      (held) => (isOurs = held),
      (error: unknown) => logger.warn({ error }, 'could not renew the lease of a reconciliation'),
    );
  }, RENEW_EVERY_MS);
  const goOn = (): void => {
    if (!isOurs || isStopping()) throw new RunEnded('the run is another worker’s now, or this one stops');
  };
  try {
    await compareAll({ payments, instance, dryRun: claimed.dryRun, cause, draft }, { since, changedSince }, goOn);
    await finishReconciliation(database.autocommit, claimed, { status: 'done', report: draft.report(), now: clock.now() });
    const { differences: _, ...counts } = draft.report();
    logger.info({ ...counts, dryRun: claimed.dryRun }, 'compared our record with Stripe');
    return { outcome: 'done' };
  } catch (error) {
    return await putOff(payments, claimed, draft, error);
  } finally {
    clearInterval(heartbeat);
  }
}

/** First what Stripe lists, which costs a call for a hundred; then what of ours the lists did not show, one by one. */
async function compareAll(run: Run, { since, changedSince }: { since: Date; changedSince: Date }, goOn: () => void): Promise<void> {
  const { gateway, database } = run.payments;
  const seenOrders = new Set<string>();
  const seenRefunds = new Set<string>();
  await eachPage(
    goOn,
    (after) => gateway.listPaymentIntents(since, after),
    (intents) => reconcileIntents(run, intents, seenOrders),
  );
  await eachPage(
    goOn,
    (after) => gateway.listCheckoutSessions(since, after),
    (sessions) => reconcileSessions(run, sessions, seenOrders),
  );
  await eachPage(
    goOn,
    (after) => gateway.listRefunds(since, after),
    (refunds) => reconcileRefunds(run, refunds, seenRefunds),
  );
  let afterId: string | null = null;
  do {
    const ids: readonly string[] = await ordersToCompare(database.autocommit, changedSince, afterId, PAGE_SIZE);
    for (const orderId of ids) {
      goOn();
      const payment = await loadPayment(database.autocommit, orderId);
      if (payment === null) continue;
      if (!seenOrders.has(orderId)) await reconcilePayment(run, payment, null);
      await reconcileRefundsOf(run, payment, seenRefunds);
    }
    afterId = ids.at(-1) ?? null;
  } while (afterId !== null);
}

async function eachPage<T>(
  goOn: () => void,
  read: (after: string | null) => Promise<Page<T>>,
  reconcile: (items: readonly T[]) => Promise<void>,
): Promise<void> {
  let after: string | null = null;
  do {
    goOn();
    const page: Page<T> = await read(after);
    await reconcile(page.items);
    after = page.next;
  } while (after !== null);
}

/** The run starts anew later: as often as it takes where it met an outage, and else until it is given up. */
async function putOff(
  { database, clock, logger }: Payments,
  claimed: ClaimedReconciliation,
  draft: ReportDraft,
  error: unknown,
): Promise<JobOutcome> {
  const reason = error instanceof Error ? error.message : String(error);
  const hasEnded = error instanceof RunEnded;
  if (!hasEnded) logger.warn({ error }, 'a reconciliation could not go on');
  const spendsAttempt = !hasEnded && !isPassing(error);
  if (spendsAttempt && claimed.attempts >= ATTEMPTS) {
    const end = { status: 'failed', report: draft.report(reason), now: clock.now() } as const;
    await finishReconciliation(database.autocommit, claimed, end);
    return { outcome: 'done' };
  }
  const delayMs = hasEnded ? 0 : RETRY_DELAY_MS;
  const dueAt = await postponeReconciliation(database.autocommit, claimed, { report: draft.report(reason), delayMs, spendsAttempt });
  return dueAt === null ? { outcome: 'done' } : { outcome: 'snooze', until: dueAt };
}
