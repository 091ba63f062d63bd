import { Prisma, type Tx } from '#libs/database';
import { type Entropy } from '#libs/primitives';
import { type Caller } from '../callers/caller.js';

/** What an operator can do. The strings are stored. */
export type AuditedAction = 'webhook_event.replay' | 'webhook_events.replay' | 'operation.retry' | 'job.retry' | 'reconciliation.request';

/** One line of the audit trail. */
export interface AuditEntry {
  readonly id: string;
  readonly keyId: string;
  readonly action: string;
  /** What it was done to, by its public id. */
  readonly target: string | null;
  readonly details: unknown;
  readonly requestId: string;
  readonly at: Date;
}

interface Deed {
  readonly caller: Caller;
  readonly action: AuditedAction;
  readonly target: string | null;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
  readonly requestId: string;
}

/** Writes down what an operator does, in the transaction that does it: there is no action without its line, and no line without its action. */
export async function writeAudit(
  tx: Tx,
  { caller, action, target, details = {}, requestId }: Deed,
  entropy: Entropy,
  now: Date,
): Promise<void> {
  const { accountId, mode, keyId } = caller;
  await tx.auditEntry.create({ data: { id: entropy.uuid(), accountId, mode, keyId, action, target, details, requestId, at: now } });
}

/** One page of what was done with the keys of an account, newest first. */
export async function listAudit(
  tx: Tx,
  { accountId, mode }: Pick<Caller, 'accountId' | 'mode'>,
  { limit, startingAfter }: { limit: number; startingAfter: string | null },
): Promise<{ entries: readonly AuditEntry[]; hasMore: boolean }> {
  const before = startingAfter === null ? Prisma.empty : Prisma.sql`AND id < ${startingAfter}::uuid`;
  const rows = await tx.$queryRaw<AuditEntry[]>`
    SELECT id, key_id AS "keyId", action, target, details, request_id AS "requestId", at FROM audit_trail
    WHERE account_id = ${accountId}::uuid AND mode = ${mode} ${before} ORDER BY id DESC LIMIT ${limit + 1}`;
  return { entries: rows.slice(0, limit), hasMore: rows.length > limit };
}
