import { type Tx } from '#libs/database';

/** How long a turn may go without renewing its lease: after a crash, the next process takes the task up this late. */
const LEASE_SECONDS = 3;

/** The right to run one turn of a task. */
export interface ClaimedTurn {
  readonly name: string;
  readonly fence: number;
  /** When the turn before looked; null where it did not come to its end, so that what it left half done is found by this one. */
  readonly lookedAt: Date | null;
  /** Up to when the task has seen everything; null before its first turn ended. */
  readonly cursorAt: Date | null;
}

/** How far a turn has come. */
export interface Progress {
  /** Up to when everything is seen for good; null: no further than before. */
  readonly cursorAt: Date | null;
  readonly lookedAt: Date;
}

/** Makes a task known; its first turn is due after `firstAfterSeconds`. Safe to repeat: a known task stays as it is. */
export async function registerTask(tx: Tx, name: string, firstAfterSeconds: number): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO scheduled_tasks (name, next_run_at) VALUES (${name}, now() + make_interval(secs => ${firstAfterSeconds})) ON CONFLICT DO NOTHING`;
}

/**
 * Takes the turn of a task that is due and that nobody holds; null otherwise, without waiting for whoever takes it at this
 * moment. On the database's clock, which all workers share. A period that was shortened counts at once.
 */
export async function takeTurn(tx: Tx, name: string, everySeconds: number): Promise<ClaimedTurn | null> {
  const rows = await tx.$queryRaw<{ fence: bigint; looked_at: Date | null; cursor_at: Date | null }[]>`
    WITH due AS (
      SELECT name, CASE WHEN completed THEN looked_at END AS looked_at FROM scheduled_tasks
      WHERE name = ${name} AND (lease_until IS NULL OR lease_until < now())
        AND (next_run_at <= now() OR next_run_at > now() + make_interval(secs => ${everySeconds}))
      FOR UPDATE SKIP LOCKED
    )
    UPDATE scheduled_tasks t SET fence = t.fence + 1, lease_until = now() + make_interval(secs => ${LEASE_SECONDS}),
      next_run_at = now() + make_interval(secs => ${everySeconds}), completed = false
    FROM due WHERE t.name = due.name
    RETURNING t.fence, due.looked_at, t.cursor_at`;
  const row = rows[0];
  return row === undefined ? null : { name, fence: Number(row.fence), lookedAt: row.looked_at, cursorAt: row.cursor_at };
}

/** Prolongs the lease of a turn that goes on. */
export async function renewTurn(tx: Tx, { name, fence }: ClaimedTurn): Promise<void> {
  await tx.$executeRaw`
    UPDATE scheduled_tasks SET lease_until = now() + make_interval(secs => ${LEASE_SECONDS}) WHERE name = ${name} AND fence = ${fence}`;
}

/**
 * Gives a turn back: how far it came where it keeps account of it, `done` where it keeps none, null where it did not come to its
 * end. A turn that was overtaken writes nothing.
 */
export async function endTurn(tx: Tx, { name, fence }: ClaimedTurn, end: Progress | 'done' | null): Promise<void> {
  const { cursorAt, lookedAt } = end === null || end === 'done' ? { cursorAt: null, lookedAt: null } : end;
  await tx.$executeRaw`
    UPDATE scheduled_tasks SET lease_until = NULL, completed = ${end !== null}, cursor_at = coalesce(${cursorAt}::timestamptz, cursor_at),
      looked_at = ${lookedAt}::timestamptz
    WHERE name = ${name} AND fence = ${fence}`;
}
