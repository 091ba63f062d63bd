import { type Tx } from '#libs/database';

/** How long the oldest of each kind has been overdue, in seconds; 0 when none is. */
export interface Backlog {
  readonly operationSeconds: number;
  readonly outboxSeconds: number;
  readonly eventSeconds: number;
}

/** The ages of what should have happened by now. */
export async function readBacklog(tx: Tx): Promise<Backlog> {
  const rows = await tx.$queryRaw<{ operation: number; outbox: number; event: number }[]>`
    SELECT
      coalesce(extract(epoch FROM now() - (SELECT min(next_attempt_at) FROM payment_operations WHERE status IN ('queued', 'in_flight', 'unknown'))), 0)::float8 AS operation,
      coalesce(extract(epoch FROM now() - (SELECT min(created_at) FROM outbox)), 0)::float8 AS outbox,
      coalesce(extract(epoch FROM now() - (SELECT min(next_attempt_at) FROM webhook_events WHERE status IN ('received', 'held'))), 0)::float8 AS event`;
  const { operation = 0, outbox = 0, event = 0 } = rows[0] ?? {};
  return { operationSeconds: Math.max(0, operation), outboxSeconds: Math.max(0, outbox), eventSeconds: Math.max(0, event) };
}
