import { type Tx } from '#libs/database';
import { type Breaker, type BreakerCause, type BreakerChange, type BreakerName, BREAKERS, CLOSED } from './breaker.js';

/** How long the right to probe holds without renewal: a worker that dies as it probes holds the others up for no longer. */
const PROBE_LEASE_SECONDS = 3;

/** A breaker as operators see it. */
export interface BreakerView {
  readonly name: BreakerName;
  readonly state: 'closed' | 'open' | 'half_open';
  readonly cause: BreakerCause | null;
  readonly failures: number;
  readonly openedAt: Date | null;
  readonly openUntil: Date | null;
  /** The last failure it counted. */
  readonly lastError: string | null;
}

interface BreakerRow {
  name: string;
  cause: BreakerCause | null;
  failures: number;
  trips: number;
  opens_in_ms: number;
  probe_left_ms: number;
  version: number;
  opened_at: Date | null;
  open_until: Date | null;
  last_error: string | null;
}

/** Every breaker, closed ones too, as they are now. */
export async function listBreakers(tx: Tx): Promise<readonly BreakerView[]> {
  const rows = await readRows(tx);
  return BREAKERS.map((name) => {
    const row = rows.find((found) => found.name === name);
    if (row === undefined) return { name, state: 'closed', cause: null, failures: 0, openedAt: null, openUntil: null, lastError: null };
    const { cause, failures, opened_at: openedAt, open_until: openUntil, last_error: lastError } = row;
    const state = cause === null ? 'closed' : row.opens_in_ms > 0 ? 'open' : 'half_open';
    return { name, state, cause, failures, openedAt, openUntil, lastError };
  });
}

/** Every breaker that was ever written down, for a worker to decide by. */
export async function loadBreakers(tx: Tx): Promise<ReadonlyMap<string, Breaker>> {
  return new Map((await readRows(tx)).map((row) => [row.name, breakerOf(row)]));
}

function readRows(tx: Tx): Promise<BreakerRow[]> {
  return tx.$queryRaw<BreakerRow[]>`
    SELECT name, cause, failures, trips, version, opened_at, open_until, last_error,
      coalesce(greatest(0, extract(epoch FROM open_until - now()) * 1000), 0)::float8 AS opens_in_ms,
      coalesce(greatest(0, extract(epoch FROM probe_until - now()) * 1000), 0)::float8 AS probe_left_ms
    FROM breakers`;
}

/** Writes what a breaker becomes, from the version the decision was made on; null when that has passed. Ends a probe. */
export async function changeBreaker(
  tx: Tx,
  name: BreakerName,
  { version }: Breaker,
  { cause, failures, trips, openForMs }: BreakerChange,
  lastError: string | null,
): Promise<Breaker | null> {
  const state = cause === null ? 'closed' : 'open';
  const rows = await tx.$queryRaw<{ version: number }[]>`
    INSERT INTO breakers AS b (name, state, cause, failures, trips, opened_at, open_until, last_error, version)
    VALUES (${name}, ${state}, ${cause}, ${failures}, ${trips}, CASE WHEN ${state} = 'open' THEN now() END,
      CASE WHEN ${state} = 'open' THEN now() + make_interval(secs => ${openForMs / 1_000}) END, ${lastError}, 1)
    ON CONFLICT (name) DO UPDATE SET state = excluded.state, cause = excluded.cause, failures = excluded.failures, trips = excluded.trips,
      opened_at = CASE WHEN excluded.state = 'open' THEN coalesce(b.opened_at, excluded.opened_at) END, open_until = excluded.open_until,
      probe_until = NULL, last_error = coalesce(excluded.last_error, b.last_error), version = b.version + 1
    WHERE b.version = ${version}
    RETURNING version`;
  const row = rows[0];
  return row === undefined ? null : { ...CLOSED, cause, failures, trips, opensInMs: openForMs, version: row.version };
}

/** Takes the right to probe a breaker whose time is over; null when another worker has it, or the breaker has changed. */
export async function claimProbe(tx: Tx, name: BreakerName, { version }: Breaker): Promise<number | null> {
  const rows = await tx.$queryRaw<{ version: number }[]>`
    UPDATE breakers SET probe_until = now() + make_interval(secs => ${PROBE_LEASE_SECONDS}), version = version + 1
    WHERE name = ${name} AND version = ${version} AND state = 'open' AND open_until <= now() AND (probe_until IS NULL OR probe_until < now())
    RETURNING version`;
  return rows[0]?.version ?? null;
}

/** Prolongs the lease of a probe, unless it was lost. */
export async function renewProbe(tx: Tx, name: BreakerName, version: number): Promise<void> {
  await tx.$executeRaw`
    UPDATE breakers SET probe_until = now() + make_interval(secs => ${PROBE_LEASE_SECONDS})
    WHERE name = ${name} AND version = ${version} AND probe_until IS NOT NULL`;
}

/** Gives the right to probe back unused. */
export async function yieldProbe(tx: Tx, name: BreakerName, version: number): Promise<void> {
  await tx.$executeRaw`UPDATE breakers SET probe_until = NULL, version = version + 1 WHERE name = ${name} AND version = ${version}`;
}

function breakerOf({ cause, failures, trips, opens_in_ms: opensInMs, probe_left_ms: probeLeftMs, version }: BreakerRow): Breaker {
  return { cause, failures, trips, opensInMs, probeLeftMs, version };
}
