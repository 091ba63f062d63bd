import { LEFT_TO_DO } from './convergence.js';
import { type Fleet } from './fleet.js';
import { type Scan } from './oracle/evidence.js';
import { scanLines } from './oracle/scan-texts.js';

/** So many rows of either are read at a look, so that looking costs nothing. */
const ROWS_MAX = 100;

interface Sample {
  readonly left: number;
  readonly messages: readonly { readonly id: string; readonly text: string }[];
  readonly jobs: readonly string[];
}

/** What lies in outbox and queue for moments only, as it was seen while the storm went on. */
export class Samples {
  /** The ids of messages that waited. */
  readonly waiting = new Set<string>();
  readonly #scans: Scan[] = [];

  /** Looks once, by one statement, and says how much is left to do. Jobs in Redis are read from what it writes down. */
  async look({ postgres, redis }: Fleet): Promise<number> {
    const jobs = redis === null ? `SELECT row_to_json(j)::text AS text FROM bullmq.job j LIMIT ${ROWS_MAX}` : `SELECT '' AS text LIMIT 0`;
    const [sample] = await postgres.query<Sample>(
      `SELECT ${LEFT_TO_DO} AS left,
         ARRAY(SELECT jsonb_build_object('id', id, 'text', row_to_json(m)::text) FROM outbox m LIMIT ${ROWS_MAX}) AS messages, ARRAY(${jobs}) AS jobs`,
    );
    if (sample === undefined) return 0;
    for (const { id } of sample.messages) this.waiting.add(id);
    const messages = sample.messages.map(({ text }) => text);
    this.#scans.push(scanLines('outbox', messages), scanLines('jobs', sample.jobs));
    return sample.left;
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
