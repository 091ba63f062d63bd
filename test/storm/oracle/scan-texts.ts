import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Fleet } from '../fleet.js';
import { request } from '../requests.js';
import { SECRET_PATTERN } from '../secrets.js';
import { type Scan } from './evidence.js';

/** More of the same tells nothing new. */
const FOUND_MAX = 5;

/** What the database has beside its tables of record: jobs, timelines, errors, contradictions. */
const TEXTS = {
  timelines: 'SELECT cause || data::text AS text FROM order_events',
  errors: 'SELECT last_error::text AS text FROM payment_operations WHERE last_error IS NOT NULL',
  notes: 'SELECT note AS text FROM webhook_events WHERE note IS NOT NULL',
  outbox: 'SELECT payload::text AS text FROM outbox',
  discrepancies: 'SELECT row_to_json(d)::text AS text FROM discrepancies d',
  'audit trail': 'SELECT row_to_json(a)::text AS text FROM audit_trail a',
  breakers: 'SELECT row_to_json(b)::text AS text FROM breakers b',
  reconciliations: 'SELECT row_to_json(r)::text AS text FROM reconciliations r',
} as const;

/** Reads every log, every metric and every job for secrets. `redisFolder` holds what Redis has written down. */
export async function scanTexts(fleet: Fleet, redisFolder: string): Promise<readonly Scan[]> {
  const scans: Scan[] = [];
  for (const file of fleet.logFiles) scans.push(await scanFile(file));
  for (const url of fleet.metricsUrls) {
    const what = `metrics of ${url}`;
    const answer = await request(url).catch(() => null);
    // What cannot be read may hold anything.
    if (answer?.status === 200) scans.push(scanLines(what, answer.text.split('\n')));
    else scans.push({ what, lines: 0, found: [`not to be read: ${answer?.status ?? 'no answer'}`] });
  }
  const texts: readonly (readonly [string, string])[] = [
    ...Object.entries(TEXTS),
    ...(fleet.redis === null ? [['jobs', 'SELECT row_to_json(j)::text AS text FROM bullmq.job j'] as const] : []),
  ];
  for (const [what, sql] of texts) {
    const rows = await fleet.postgres.query<{ text: string }>(sql);
    scans.push(
      scanLines(
        what,
        rows.map(({ text }) => text),
      ),
    );
  }
  const written = join(redisFolder, 'appendonlydir');
  if (existsSync(written)) for (const file of readdirSync(written)) scans.push(await scanFile(join(written, file)));
  return scans;
}

/** Which lines hold a secret. Pure. */
export function scanLines(what: string, lines: Iterable<string>): Scan {
  const found: string[] = [];
  let count = 0;
  for (const line of lines) {
    count += 1;
    if (found.length < FOUND_MAX && SECRET_PATTERN.test(line)) found.push(line.slice(0, 500));
  }
  return { what, lines: count, found };
}

async function scanFile(file: string): Promise<Scan> {
  const lines: string[] = [];
  const scans: Scan[] = [];
  const flush = (): void => void scans.push(scanLines(basename(file), lines.splice(0)));
  for await (const line of createInterface({ input: createReadStream(file) })) {
    lines.push(line);
    if (lines.length >= 10_000) flush();
  }
  flush();
  return {
    what: basename(file),
    lines: scans.reduce((sum, scan) => sum + scan.lines, 0),
    found: scans.flatMap(({ found }) => found).slice(0, FOUND_MAX),
  };
}
