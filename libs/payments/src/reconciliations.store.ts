import { type Tx } from '#libs/database';
import { INSERT_OUTBOX, isOverdue, type OutboxMessage, type Sweep } from '#libs/jobs';
import { type ReconciliationReport } from './reconciliation-report.js';

/** Where a reconciliation stands. failed: it was given up for a reason of its own; the report says how far it came. */
export type ReconciliationStatus = 'queued' | 'running' | 'done' | 'failed';

/** A reconciliation as operators see it. `id` is its database id; the report grows while it runs. */
export interface Reconciliation {
  readonly id: string;
  readonly dryRun: boolean;
  readonly status: ReconciliationStatus;
  readonly requestedBy: string;
  readonly requestedAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly report: ReconciliationReport | null;
}

/** What a reconciliation is asked for with. requestedBy: who shows in the record, such as a key's id or `schedule`. */
export interface ReconciliationRequest {
  readonly dryRun: boolean;
  readonly requestedBy: string;
  readonly now: Date;
  readonly newId: () => string;
}

/**
 * Asks for a reconciliation: its row and the message that announces it, in one statement. Returns its database id; the public
 * one is `publicId('rec', id)`. The caller wakes the relay. Each call asks for one more.
 */
export async function requestReconciliation(tx: Tx, { dryRun, requestedBy, now, newId }: ReconciliationRequest): Promise<string> {
  const id = newId();
  const outbox: readonly OutboxMessage[] = [{ id: newId(), kind: 'reconciliation', payload: { reconciliationId: id } }];
  await tx.$executeRaw`
    WITH asked AS (
      INSERT INTO reconciliations (id, dry_run, status, requested_by, requested_at, next_attempt_at)
      VALUES (${id}::uuid, ${dryRun}, 'queued', ${requestedBy}, ${now}, now()) RETURNING id
    ),
    accepted AS (SELECT jsonb_build_object('outbox', ${JSON.stringify(outbox)}::jsonb) AS doc FROM asked),
    ${INSERT_OUTBOX}
    SELECT 1 FROM asked`;
  return id;
}

/** A reconciliation by its database id; null when there is none. */
export async function loadReconciliation(tx: Tx, id: string): Promise<Reconciliation | null> {
  const row = await tx.reconciliation.findUnique({ where: { id } });
  if (row === null) return null;
  const { dryRun, requestedBy, requestedAt, startedAt, finishedAt } = row;
  return { id, dryRun, status: statusOf(row.status), requestedBy, requestedAt, startedAt, finishedAt, report: reportOf(row.report) };
}

/** How long a claim holds without renewal: a run whose worker died is taken up by another after this. */
const LEASE_SECONDS = 3;

/** A reconciliation in the hands of one worker: only the holder of `fence` may write its report. */
export interface ClaimedReconciliation {
  readonly id: string;
  readonly fence: number;
  readonly dryRun: boolean;
  readonly attempts: number;
}

/** Takes a reconciliation that is due and that nobody holds; it starts anew, whatever an earlier attempt has found. */
export async function claimReconciliation(tx: Tx, id: string, now: Date): Promise<ClaimedReconciliation | null> {
  const rows = await tx.$queryRaw<{ fence: bigint; dry_run: boolean; attempts: number }[]>`
    UPDATE reconciliations SET status = 'running', started_at = ${now}, fence = fence + 1, attempts = attempts + 1,
      lease_until = now() + make_interval(secs => ${LEASE_SECONDS})
    WHERE id = ${id}::uuid AND status IN ('queued', 'running') AND (lease_until IS NULL OR lease_until < now()) AND next_attempt_at <= now()
    RETURNING fence, dry_run, attempts`;
  const row = rows[0];
  return row === undefined ? null : { id, fence: Number(row.fence), dryRun: row.dry_run, attempts: row.attempts };
}

/** Prolongs the lease and writes how far the run has come; false when another worker has taken it over. */
export async function renewReconciliation(tx: Tx, { id, fence }: ClaimedReconciliation, report: ReconciliationReport): Promise<boolean> {
  const count = await tx.$executeRaw`
    UPDATE reconciliations SET lease_until = now() + make_interval(secs => ${LEASE_SECONDS}), report = ${JSON.stringify(report)}::jsonb
    WHERE id = ${id}::uuid AND fence = ${fence} AND status = 'running'`;
  return count === 1;
}

/** Writes the end of a run. A run that another worker has taken over writes nothing. */
export async function finishReconciliation(
  tx: Tx,
  { id, fence }: ClaimedReconciliation,
  end: { readonly status: 'done' | 'failed'; readonly report: ReconciliationReport; readonly now: Date },
): Promise<void> {
  await tx.$executeRaw`
    UPDATE reconciliations SET status = ${end.status}, finished_at = ${end.now}, lease_until = NULL, report = ${JSON.stringify(end.report)}::jsonb
    WHERE id = ${id}::uuid AND fence = ${fence} AND status = 'running'`;
}

/** Gives a run back that came to nothing and says when the next attempt is due; null when it is no longer the caller's. */
export async function postponeReconciliation(
  tx: Tx,
  { id, fence }: ClaimedReconciliation,
  { report, delayMs, spendsAttempt }: { report: ReconciliationReport; delayMs: number; spendsAttempt: boolean },
): Promise<Date | null> {
  const rows = await tx.$queryRaw<{ due_at: Date }[]>`
    UPDATE reconciliations SET status = 'queued', lease_until = NULL, report = ${JSON.stringify(report)}::jsonb,
      attempts = attempts - ${spendsAttempt ? 0 : 1}, next_attempt_at = now() + make_interval(secs => ${delayMs / 1_000})
    WHERE id = ${id}::uuid AND fence = ${fence} AND status = 'running' RETURNING next_attempt_at AS due_at`;
  return rows[0]?.due_at ?? null;
}

/**
 * From when on Stripe's lists are read: everything after the last complete run, so that a database restored from a backup meets all
 * that happened since the backup; before the first, everything since the first order. Never less than back to `latest`.
 */
export async function compareSince(tx: Tx, latest: Date): Promise<Date> {
  const rows = await tx.$queryRaw<{ since: Date }[]>`
    SELECT least(${latest}::timestamptz, coalesce(
      (SELECT max(started_at) FROM reconciliations WHERE status = 'done' AND NOT dry_run), (SELECT created_at FROM orders ORDER BY id LIMIT 1))) AS since`;
  return rows[0]?.since ?? latest;
}

/** A page of the orders whose payment or refund is open at Stripe, or that changed from `since` on, by id. */
export async function ordersToCompare(tx: Tx, since: Date, afterId: string | null, limit: number): Promise<readonly string[]> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    SELECT o.id FROM orders o JOIN payments p ON p.order_id = o.id
    WHERE (${afterId}::uuid IS NULL OR o.id > ${afterId}::uuid) AND (p.stripe_payment_intent_id IS NOT NULL OR p.checkout_session_id IS NOT NULL)
      AND (p.status NOT IN ('succeeded', 'canceled') OR o.updated_at >= ${since} OR o.amount_refund_pending > 0)
    ORDER BY o.id LIMIT ${limit}`;
  return rows.map(({ id }) => id);
}

/** Whether there is a reconciliation that is overdue and that nobody holds. */
export async function hasOverdueReconciliations(tx: Tx): Promise<boolean> {
  const rows = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM reconciliations
    WHERE status IN ('queued', 'running') AND (lease_until IS NULL OR lease_until < now()) AND ${isOverdue(false)} LIMIT 1`;
  return rows.length > 0;
}

/** Writes an outbox row for every reconciliation that is overdue and that nobody holds. Returns how many. Safe to repeat. */
export function requeueOverdueReconciliations(tx: Tx, { hasLine, newId, limit }: Sweep): Promise<number> {
  const ids = Array.from({ length: limit }, newId);
  return tx.$executeRaw`
    WITH overdue AS (
      SELECT id FROM reconciliations
      WHERE status IN ('queued', 'running') AND (lease_until IS NULL OR lease_until < now()) AND ${isOverdue(hasLine)}
      ORDER BY next_attempt_at LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ),
    swept AS (UPDATE reconciliations r SET swept_at = now() FROM overdue WHERE r.id = overdue.id RETURNING r.id),
    numbered AS (SELECT id, row_number() OVER () AS n FROM swept),
    accepted AS (
      SELECT jsonb_build_object('outbox', jsonb_build_array(jsonb_build_object(
        'id', (${ids}::text[])[n], 'kind', 'reconciliation', 'payload', jsonb_build_object('reconciliationId', id)))) AS doc
      FROM numbered
    ),
    ${INSERT_OUTBOX}
    SELECT 1 FROM accepted`;
}

/** Whether one that may repair is asked for or under way. */
export async function isReconciling(tx: Tx): Promise<boolean> {
  return (await tx.reconciliation.count({ where: { dryRun: false, status: { in: ['queued', 'running'] } } })) > 0;
}

function statusOf(text: string): ReconciliationStatus {
  switch (text) {
    case 'queued':
    case 'running':
    case 'done':
    case 'failed':
      return text;
    default:
      throw new Error(`bug: a reconciliation cannot be ${text}`);
  }
}

/** Only this file writes the column, and only reports. */
function reportOf(value: unknown): ReconciliationReport | null {
  return value as ReconciliationReport | null;
}
