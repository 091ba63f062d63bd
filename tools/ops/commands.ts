/** What a command line asks for over HTTP, and how its answer is shown. */
export interface Ask {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
  /** Which members of a list make a table; null for one object, which is shown whole. */
  readonly columns: readonly string[] | null;
}

/** What was typed behind the command. */
export interface Typed {
  readonly subject: string | undefined;
  readonly options: Readonly<Record<string, string | undefined>>;
  readonly isDryRun: boolean;
}

/** One command. `ask` throws UsageError when something is missing. */
interface Command {
  readonly usage: string;
  readonly does: string;
  readonly ask: (typed: Typed) => Ask;
}

/** The command line is wrong, in words for whoever typed it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const EVENT_COLUMNS = ['id', 'type', 'status', 'order', 'attempts', 'receivedAt', 'note'];
const OPERATION_COLUMNS = ['id', 'kind', 'status', 'inDoubt', 'order', 'attempts', 'createdAt', 'lastError'];

/** Every command by its name. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  events: {
    usage: 'events [--status parked] [--type payment_intent.succeeded]',
    does: "Stripe's events, newest first",
    ask: ({ options }) => list('/v1/ops/webhook-events', pick(options, 'status', 'type'), options, EVENT_COLUMNS),
  },
  event: {
    usage: 'event <evt_…>',
    does: 'one event with what Stripe sent, without secrets',
    ask: ({ subject }) => ({ method: 'GET', path: `/v1/ops/webhook-events/${idOf(subject, 'the id of an event')}`, columns: null }),
  },
  replay: {
    usage: 'replay <evt_…> | replay --type T --from INSTANT --to INSTANT',
    does: 'apply an event once more, or all of a type and time',
    ask: ({ subject, options }) => {
      if (subject !== undefined) return act(`/v1/ops/webhook-events/${idOf(subject, 'the id of an event')}/replay`, {});
      const { type, from, to } = options;
      if (type === undefined || from === undefined || to === undefined)
        throw new UsageError('replay needs an event, or --type, --from and --to');
      return act('/v1/ops/webhook-events/replay', { type, from, to });
    },
  },
  operations: {
    usage: 'operations [--status parked|queued|in_flight|unknown]',
    does: 'what is ordered at Stripe and not over; without a status, what is parked',
    ask: ({ options }) => list('/v1/ops/operations', pick(options, 'status'), options, OPERATION_COLUMNS),
  },
  jobs: {
    usage: 'jobs',
    does: 'jobs that failed for good',
    ask: ({ options }) =>
      list('/v1/ops/jobs', { state: 'failed' }, options, ['id', 'queue', 'kind', 'payload', 'attempts', 'failedAt', 'reason']),
  },
  retry: {
    usage: 'retry <op_… | job id>',
    does: 'take a parked operation up again, after a read; or queue a failed job anew',
    ask: ({ subject }) => {
      const id = idOf(subject, 'the id of an operation or a job');
      return act(`/v1/ops/${id.startsWith('op_') ? 'operations' : 'jobs'}/${id}/retry`, {});
    },
  },
  reconcile: {
    usage: 'reconcile [--dry-run]',
    does: 'compare with Stripe, both ways, and repair what can be repaired',
    ask: ({ isDryRun }) => act('/v1/ops/reconciliations', { dryRun: isDryRun }),
  },
  reconciliation: {
    usage: 'reconciliation <rec_…>',
    does: 'how far a comparison is, and what it found',
    ask: ({ subject }) => ({
      method: 'GET',
      path: `/v1/ops/reconciliations/${idOf(subject, 'the id of a reconciliation')}`,
      columns: null,
    }),
  },
  breakers: {
    usage: 'breakers',
    does: 'the circuit breakers in front of Stripe',
    ask: () => ({
      method: 'GET',
      path: '/v1/ops/breakers',
      columns: ['id', 'state', 'cause', 'failures', 'openedAt', 'openUntil', 'lastError'],
    }),
  },
  audit: {
    usage: 'audit',
    does: 'who did what, newest first',
    ask: ({ options }) => list('/v1/ops/audit', {}, options, ['at', 'keyId', 'action', 'target', 'details', 'requestId']),
  },
};

function act(path: string, body: object): Ask {
  return { method: 'POST', path, body, columns: null };
}

function list(path: string, filter: Readonly<Record<string, string>>, options: Typed['options'], columns: readonly string[]): Ask {
  const query = new URLSearchParams({
    ...filter,
    ...pick(options, 'limit'),
    ...(options['after'] === undefined ? {} : { startingAfter: options['after'] }),
  });
  return { method: 'GET', path: query.size === 0 ? path : `${path}?${query.toString()}`, columns };
}

function pick(options: Typed['options'], ...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])));
}

function idOf(subject: string | undefined, what: string): string {
  if (subject === undefined) throw new UsageError(`name ${what}`);
  return encodeURIComponent(subject);
}
