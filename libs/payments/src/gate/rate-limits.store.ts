import { type Tx } from '#libs/database';

/** The bucket every call takes from besides its endpoint's own. */
export const GLOBAL = 'global';

/** A token is promised for at most this far ahead; who would wait for longer waits in the database, not in a worker's slot. */
const HORIZON_SECONDS = 0.5;
/** How long a rate that Stripe's refusals have brought down to nothing takes to be whole again. */
const RECOVERY_SECONDS = 60;
/** What refusals leave at least: at 25 a second, a call in two seconds. */
const SHARE_MIN = 0.02;
/** Refusals of calls that were under way together tell one thing, not many. */
const SHRINK_EVERY_SECONDS = 1;

/** A bucket and how many calls a second it allows when Stripe has not objected. */
export interface Bucket {
  readonly name: string;
  readonly perSecond: number;
}

/** What is asked for: tokens, or so many places in the line if there are none. */
export interface Wanted {
  readonly tokens: number;
  readonly places: number;
}

/** Tokens in a row, or a place in the line where nobody holds a slot. */
export interface Reservation {
  readonly granted: boolean;
  /** When the first token is good, or when the first who was refused may ask again. */
  readonly startsInMs: number;
  /** The distance from one to the next. */
  readonly everyMs: number;
}

/**
 * Takes tokens from each of the buckets in one statement, one after another at the lowest of their rates; or, when they
 * lie too far ahead, places in the line of those who come back. On the database's clock.
 */
export async function reserveTokens(tx: Tx, buckets: readonly Bucket[], { tokens, places }: Wanted): Promise<Reservation> {
  const names = buckets.map(({ name }) => name);
  const rates = buckets.map(({ perSecond }) => perSecond);
  const rows = await tx.$queryRaw<Reservation[]>`
    WITH asked AS (SELECT * FROM unnest(${names}::text[], ${rates}::float8[]) AS a (name, full_rate)),
    bucket AS (
      SELECT r.name, greatest(r.next_at, now()) AS next_at, greatest(r.line_at, r.next_at, now()) AS line_at,
        a.full_rate * least(1, r.share + extract(epoch FROM now() - r.share_at)::float8 / ${RECOVERY_SECONDS}) AS rate
      FROM rate_limits r JOIN asked a USING (name) ORDER BY r.name FOR UPDATE OF r
    ),
    verdict AS (
      SELECT max(next_at) <= now() + make_interval(secs => ${HORIZON_SECONDS}) AS granted, max(next_at) AS next_at, max(line_at) AS line_at,
        min(rate) AS rate FROM bucket
    ),
    moved AS (
      UPDATE rate_limits r SET
        next_at = CASE WHEN v.granted THEN b.next_at + make_interval(secs => ${tokens} / b.rate) ELSE r.next_at END,
        line_at = CASE WHEN v.granted THEN r.line_at ELSE v.line_at + make_interval(secs => ${places} / v.rate) END
      FROM bucket b, verdict v WHERE r.name = b.name
    )
    SELECT granted, extract(epoch FROM (CASE WHEN granted THEN next_at ELSE line_at END) - now())::float8 * 1000 AS "startsInMs", 1000 / rate AS "everyMs"
    FROM verdict`;
  const row = rows[0];
  if (row === undefined) throw new Error('bug: there are no such buckets');
  return row;
}

/** Makes the buckets that are not there yet, full. Safe to repeat and to run in several processes at once. */
export async function openBuckets(tx: Tx, names: readonly string[]): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO rate_limits (name, next_at, line_at, share, share_at) SELECT name, now(), now(), 1, now() FROM unnest(${names}::text[]) AS n (name)
    ON CONFLICT DO NOTHING`;
}

/** Halves the rate of a bucket, from where it grows back slowly, and gives no token before Stripe's Retry-After is over. */
export async function shrinkBucket(tx: Tx, name: string, retryAfterMs: number): Promise<void> {
  await tx.$executeRaw`
    UPDATE rate_limits SET
      share = CASE WHEN told_before THEN share ELSE greatest(${SHARE_MIN}, least(1, share + extract(epoch FROM now() - share_at)::float8 / ${RECOVERY_SECONDS}) / 2) END,
      share_at = CASE WHEN told_before THEN share_at ELSE now() END,
      next_at = greatest(next_at, now() + make_interval(secs => ${retryAfterMs / 1_000}))
    FROM (SELECT name AS told, share < 1 AND share_at > now() - make_interval(secs => ${SHRINK_EVERY_SECONDS}) AS told_before FROM rate_limits WHERE name = ${name} FOR UPDATE) t
    WHERE name = t.told`;
}
