/** One queue per class of work, so that a storm in one never delays another. */
export const QUEUES = ['payments', 'refunds', 'webhook-events', 'maintenance'] as const;

/** The name of a queue. */
export type QueueName = (typeof QUEUES)[number];

/** Every kind of job and what it carries: ids, never amounts. The strings are stored; renaming one takes a release that knows both. */
export interface JobPayloads {
  'payment-operation': { readonly operationId: string };
  'refund-operation': { readonly operationId: string };
  'webhook-event': { readonly eventId: string };
  reconciliation: { readonly reconciliationId: string };
}

/** The stable name of a kind of job. */
export type JobKind = keyof JobPayloads;

interface JobClass<K extends JobKind> {
  readonly queue: QueueName;
  /** The payload when `value` is one, else null: an outbox row may be older than the code that reads it. */
  readonly parse: (value: unknown) => JobPayloads[K] | null;
}

const idIn =
  <F extends string>(field: F) =>
  (value: unknown): { readonly [P in F]: string } | null => {
    if (typeof value !== 'object' || value === null || !(field in value)) return null;
    const id: unknown = (value as { [P in F]: unknown })[field];
    return typeof id === 'string' ? ({ [field]: id } as { readonly [P in F]: string }) : null;
  };

/** What is known of each kind of job. A kind without an entry does not compile, nor does one without a handler in the worker. */
export const JOBS: { readonly [K in JobKind]: JobClass<K> } = {
  'payment-operation': { queue: 'payments', parse: idIn('operationId') },
  'refund-operation': { queue: 'refunds', parse: idIn('operationId') },
  'webhook-event': { queue: 'webhook-events', parse: idIn('eventId') },
  reconciliation: { queue: 'maintenance', parse: idIn('reconciliationId') },
};

/** Whether a stored string names a kind of job this version knows. */
export function isJobKind(kind: string): kind is JobKind {
  return Object.hasOwn(JOBS, kind);
}
