import { type Tx } from '#libs/database';

/** Forgets up to `limit` rows that are older than `before`; returns how many. Safe to repeat and to run twice at once. */
export type Forget = (tx: Tx, before: Date, limit: number) => Promise<number>;

/** The bodies of stored answers. Key, fingerprint and Location stay, and with them that the command happens once (R2). */
export const forgetAnswers: Forget = (tx, before, limit) => tx.$executeRaw`
  UPDATE idempotency_keys k SET body = NULL
  FROM (SELECT account_id, mode, audience, key FROM idempotency_keys
    WHERE body IS NOT NULL AND created_at < ${before} AND status < 400 ORDER BY created_at LIMIT ${limit} FOR UPDATE SKIP LOCKED) AS old
  WHERE (k.account_id, k.mode, k.audience, k.key) = (old.account_id, old.mode, old.audience, old.key)`;

/** Stored refusals, whole: nothing was carried out under them. */
export const forgetRefusals: Forget = (tx, before, limit) => tx.$executeRaw`
  DELETE FROM idempotency_keys k
  USING (SELECT account_id, mode, audience, key FROM idempotency_keys
    WHERE body IS NOT NULL AND created_at < ${before} AND status >= 400 ORDER BY created_at LIMIT ${limit} FOR UPDATE SKIP LOCKED) AS old
  WHERE (k.account_id, k.mode, k.audience, k.key) = (old.account_id, old.mode, old.audience, old.key)`;

/** What Stripe sent with events that are dealt with. Their ids stay, so that one that comes late is known. */
export const forgetPayloads: Forget = (tx, before, limit) => tx.$executeRaw`
  UPDATE webhook_events e SET payload = NULL
  FROM (SELECT id FROM webhook_events WHERE status IN ('applied', 'ignored') AND payload IS NOT NULL AND processed_at < ${before}
    ORDER BY processed_at LIMIT ${limit} FOR UPDATE SKIP LOCKED) AS old
  WHERE e.id = old.id`;

/** Reconciliations that are over, with their reports. */
export const forgetReconciliations: Forget = (tx, before, limit) => tx.$executeRaw`
  DELETE FROM reconciliations r
  USING (SELECT id FROM reconciliations WHERE finished_at < ${before} ORDER BY finished_at LIMIT ${limit} FOR UPDATE SKIP LOCKED) AS old
  WHERE r.id = old.id`;
