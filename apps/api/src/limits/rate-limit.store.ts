import { type Tx } from '#libs/database';

/** What a process has counted of one bucket since it last told. */
export interface Hits {
  readonly bucket: string;
  readonly minute: number;
  readonly hits: number;
}

/** Adds to the shared counts in one statement and returns what they are now. Rows are written in one order, so that processes never lock each other out. */
export function addHits(tx: Tx, hits: readonly Hits[]): Promise<Hits[]> {
  return tx.$queryRaw<Hits[]>`
    INSERT INTO rate_limit_counts AS c (bucket, minute, hits)
    SELECT h.bucket, h.minute, h.hits FROM jsonb_to_recordset(${JSON.stringify(hits)}::jsonb) AS h (bucket text, minute int, hits int) ORDER BY h.bucket, h.minute
    ON CONFLICT (bucket, minute) DO UPDATE SET hits = c.hits + excluded.hits
    RETURNING bucket, minute, hits`;
}

/** Forgets what no limit looks at any more. */
export async function forgetHitsBefore(tx: Tx, minute: number): Promise<void> {
  await tx.rateLimitCount.deleteMany({ where: { minute: { lt: minute } } });
}
