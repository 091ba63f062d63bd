import { createHash } from 'node:crypto';
import { Prisma, type Tx } from '#libs/database';
import { type IdempotentRequest } from './idempotency-key.js';

/** An answer as it was first given: these bytes are given again. */
export interface StoredResponse {
  readonly status: number;
  readonly location: string | null;
  readonly body: string;
}

/** What is on record for a key. `body` is null once it was forgotten. */
export interface StoredKey {
  readonly fingerprint: string;
  readonly status: number;
  readonly location: string | null;
  readonly body: string | null;
  readonly createdAt: Date;
}

/** A row of idempotency_keys on its way in, with the number of the lock that lets one request at a time try it. */
export interface KeyClaim {
  readonly account_id: string;
  readonly mode: string;
  readonly audience: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly status: number;
  readonly location: string | null;
  readonly body: string;
  readonly created_at: string;
  readonly lock: string;
}

/**
 * CTE `accepted(ordinal, doc)`: of the rows of an earlier CTE `input(ordinal, doc)`, those whose key under `doc->'key'`
 * was free and is now theirs. The lock is only tried, never waited for: a request that finds its key being tried
 * elsewhere gives its connection back at once. The primary key has the last word.
 */
export const CLAIM_KEYS = Prisma.sql`
  tried AS MATERIALIZED (
    SELECT i.ordinal, i.doc, pg_try_advisory_xact_lock((i.doc -> 'key' ->> 'lock')::bigint) AS locked FROM input i
  ),
  claimed AS (
    INSERT INTO idempotency_keys (account_id, mode, audience, key, fingerprint, status, location, body, created_at)
    SELECT k.account_id, k.mode, k.audience, k.key, k.fingerprint, k.status, k.location, k.body, k.created_at
    FROM tried t, jsonb_to_record(t.doc -> 'key') AS k (account_id uuid, mode text, audience text, key text, fingerprint text,
      status smallint, location text, body text, created_at timestamptz)
    WHERE t.locked
    ON CONFLICT DO NOTHING
    RETURNING account_id, mode, audience, key
  ),
  accepted AS (
    SELECT t.ordinal, t.doc FROM tried t JOIN claimed c
      ON c.account_id = (t.doc -> 'key' ->> 'account_id')::uuid AND c.mode = t.doc -> 'key' ->> 'mode'
      AND c.audience = t.doc -> 'key' ->> 'audience' AND c.key = t.doc -> 'key' ->> 'key'
  )`;

/** The row that claims a request's key for `response`. */
export function claimOf(request: IdempotentRequest, response: StoredResponse, now: Date): KeyClaim {
  const { scope, key, fingerprint } = request;
  const { accountId, mode, audience } = scope;
  return {
    account_id: accountId,
    mode,
    audience,
    key,
    fingerprint,
    status: response.status,
    location: response.location,
    body: response.body,
    created_at: now.toISOString(),
    lock: lockOf(request),
  };
}

/** Takes the key for a transaction, unless it is another request's or already has an answer. Tried, never waited for. */
export async function takeKey(tx: Tx, request: IdempotentRequest): Promise<boolean> {
  const rows = await tx.$queryRaw<{ locked: boolean }[]>`SELECT pg_try_advisory_xact_lock(${lockOf(request)}::bigint) AS locked`;
  // A new statement, so that it sees what whoever held the lock has committed.
  return rows[0]?.locked === true && (await findKey(tx, request)) === null;
}

/** Stores the answer under a key that `takeKey` took in the same transaction. */
export async function storeAnswer(
  tx: Tx,
  { scope, key, fingerprint }: IdempotentRequest,
  { status, location, body }: StoredResponse,
  now: Date,
): Promise<void> {
  await tx.idempotencyKey.create({ data: { ...scope, key, fingerprint, status, location, body, createdAt: now } });
}

/** What is on record for the request's key, whatever it asks for; null when the key is free. */
export function findKey(tx: Tx, { scope, key }: IdempotentRequest): Promise<StoredKey | null> {
  return tx.idempotencyKey.findUnique({
    where: { accountId_mode_audience_key: { ...scope, key } },
    select: { fingerprint: true, status: true, location: true, body: true, createdAt: true },
  });
}

/** The number of the advisory lock of a key. Two keys with one number merely wait for each other. */
function lockOf({ scope, key }: IdempotentRequest): string {
  const { accountId, mode, audience } = scope;
  return createHash('sha256').update([accountId, mode, audience, key].join('\n')).digest().readBigInt64BE(0).toString();
}
