import { type Tx } from '#libs/database';
import { INSERT_OUTBOX, type OutboxMessage } from '#libs/jobs';
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
