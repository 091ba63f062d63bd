import { Prisma, type Tx } from '#libs/database';
import { type JobKind, type JobPayloads } from './catalogue.js';

/** A promise that a job will be queued. `id` becomes the job's id: BullMQ swallows a second one. */
export interface OutboxMessage<K extends JobKind = JobKind> {
  readonly id: string;
  readonly kind: K;
  readonly payload: JobPayloads[K];
}

/** An outbox row as the relay reads it: its kind may be one that only another version knows. */
export interface ClaimedMessage {
  readonly id: string;
  readonly kind: string;
  readonly payload: unknown;
  /** Its job goes ahead of those that wait. */
  readonly ahead?: boolean;
}

/** How long a relay has to bring claimed rows to the queue before another may try: within it, a crash delays a job. */
const CLAIM_SECONDS = 3;

/**
 * CTE `outboxed`: writes the messages under `doc->'outbox'` of the rows of an earlier CTE `accepted(doc)`, in the one
 * statement that makes what they announce.
 */
export const INSERT_OUTBOX = Prisma.sql`
  outboxed AS (
    INSERT INTO outbox (id, kind, payload, ahead)
    SELECT m.id, m.kind, m.payload, coalesce(m.ahead, false)
    FROM accepted a, jsonb_to_recordset(a.doc -> 'outbox') AS m (id uuid, kind text, payload jsonb, ahead boolean)
  )`;

/** Writes one row by itself, of whatever kind: a failed job comes back as it was. Throws when the id is taken. */
export async function insertOutboxRow(tx: Tx, { id, kind, payload }: ClaimedMessage): Promise<void> {
  await tx.$executeRaw`INSERT INTO outbox (id, kind, payload) VALUES (${id}::uuid, ${kind}, ${JSON.stringify(payload)}::jsonb)`;
}

/**
 * Claims up to `limit` rows by exact id, oldest first, for a few seconds. Rows another relay holds are skipped; rows
 * whose relay died come again. Never by watermark: a row with a lower id may commit later.
 */
export function claimOutbox(tx: Tx, limit: number): Promise<ClaimedMessage[]> {
  return tx.$queryRaw<ClaimedMessage[]>`
    UPDATE outbox SET claimed_until = now() + make_interval(secs => ${CLAIM_SECONDS})
    WHERE id IN (
      SELECT id FROM outbox WHERE claimed_until IS NULL OR claimed_until < now()
      ORDER BY id LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING id, kind, payload, ahead`;
}

/** Deletes the rows whose jobs the queue has taken. Safe to repeat. */
export async function deleteOutbox(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.$executeRaw`DELETE FROM outbox WHERE id = ANY (${ids}::uuid[])`;
}

/** Wakes the relays of all processes. Never inside a transaction that carries an order: NOTIFY serialises commits. */
export async function notifyOutbox(tx: Tx): Promise<void> {
  await tx.$executeRaw`SELECT pg_notify(${OUTBOX_CHANNEL}, '')`;
}

/** The channel relays listen on. */
export const OUTBOX_CHANNEL = 'oncepay_outbox';
