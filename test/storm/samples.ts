import { type Fleet } from './fleet.js';
import { type Scan } from './oracle/evidence.js';
import { scanLines } from './oracle/scan-texts.js';

/** So many rows of either are read at a look, so that looking costs nothing. */
const ROWS_MAX = 100;

/** What lies in outbox and queue for moments only, as it was seen while the storm went on. */
export class Samples {
  /** The ids of messages that waited. */
  readonly waiting = new Set<string>();
  readonly #scans: Scan[] = [];

  /** Jobs in Redis are read from what it writes down. */
  async look({ postgres, redis }: Fleet): Promise<void> {
    const messages = await postgres.query<{ id: string; text: string }>(
      `SELECT id, row_to_json(m)::text AS text FROM outbox m LIMIT ${ROWS_MAX}`,
    );
    for (const { id } of messages) this.waiting.add(id);
    const jobs =
      redis === null
        ? await postgres.query<{ text: string }>(`SELECT row_to_json(j)::text AS text FROM bullmq.job j LIMIT ${ROWS_MAX}`)
        : [];
    this.#scans.push(scanLines('outbox', textsOf(messages)), scanLines('jobs', textsOf(jobs)));
  }

  /** What was read for secrets, by kind. */
  get scans(): readonly Scan[] {
    return ['outbox', 'jobs'].map((kind) => {
      const of = this.#scans.filter(({ what }) => what === kind);
      return {
        what: `${kind} while it stormed`,
        lines: of.reduce((sum, { lines }) => sum + lines, 0),
        found: [...new Set(of.flatMap(({ found }) => found))],
      };
    });
  }
}

function textsOf(rows: readonly { readonly text: string }[]): readonly string[] {
  return rows.map(({ text }) => text);
}
