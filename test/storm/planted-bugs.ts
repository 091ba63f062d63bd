/** One change of a compiled source. */
export interface Edit {
  /** Below `dist`. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** A mistake somebody could make, and which the storm must find. */
export interface PlantedBug {
  readonly name: string;
  /** The rules that break by it: one of them must be seen to, and no other counts. */
  readonly caughtBy: readonly string[];
  readonly edits: readonly Edit[];
  /** Run on the migrated database, for mistakes in the schema. */
  readonly sql?: string;
}

const edit = (file: string, find: string, replace: string): Edit => ({ file: `${file}.js`, find, replace });

const SEND = 'libs/payments/src/send-operation';
const PLAN = 'libs/payments/src/attempt-plan';
const OBSERVATION = 'libs/payments/src/observation';
const KEYS = 'libs/idempotency/src/idempotency-key.store';

/** The mistakes that systems of this kind are known to have made. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'the unique index of idempotency keys is gone',
    caughtBy: ['R2', 'R3'],
    edits: [],
    sql: 'ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey',
  },
  {
    name: 'an order is acknowledged before its commit',
    caughtBy: ['R1'],
    edits: [
      edit(
        'libs/orders/src/create-order',
        "const accepted = await effect('api.order.commit', () => ",
        "const accepted = new Set([0]); void effect('api.order.commit', () => ",
      ),
      edit(
        'libs/orders/src/create-order',
        '[{ ...draft, key: claim.rowFor(response) }]));',
        '[{ ...draft, key: claim.rowFor(response) }])).catch(() => null);',
      ),
    ],
  },
  {
    name: 'a key is looked up without its account',
    caughtBy: ['R3', 'R4', 'R13'],
    edits: [
      edit(KEYS, 'tx.idempotencyKey.findUnique({', "tx.idempotencyKey.findFirst({ orderBy: { accountId: 'desc' },"),
      edit(KEYS, 'where: { accountId_mode_audience_key: { ...scope, key } },', 'where: { key },'),
    ],
  },
  {
    name: 'an order is read without its account',
    caughtBy: ['R13'],
    edits: [
      edit(
        'libs/orders/src/orders.store',
        'WHERE o.id = ${id}::uuid AND o.account_id = ${accountId}::uuid AND',
        'WHERE o.id = ${id}::uuid AND',
      ),
    ],
  },
  {
    name: 'another request under a used key is answered with the first',
    caughtBy: ['R4'],
    edits: [
      edit(
        'libs/idempotency/src/idempotent-commands',
        'if (stored.fingerprint !== request.fingerprint) {',
        'if (stored.fingerprint === null) {',
      ),
    ],
  },
  {
    name: 'every attempt has a Stripe key of its own',
    caughtBy: ['R2', 'R5'],
    edits: [
      edit(
        SEND,
        'const { kind, params, stripeIdempotencyKey } = operation;',
        'const { kind, params } = operation; const stripeIdempotencyKey = `${operation.stripeIdempotencyKey}${operation.attempts}`;',
      ),
    ],
  },
  {
    name: 'charge and refund of an order share a Stripe key',
    caughtBy: ['R2', 'R7'],
    edits: [
      edit(
        SEND,
        'const { kind, params, stripeIdempotencyKey } = operation;',
        "const { kind, params } = operation; const stripeIdempotencyKey = `op_${operation.orderId.replaceAll('-', '')}-1`;",
      ),
    ],
  },
  {
    name: 'a timeout counts as a failure',
    caughtBy: ['R5', 'R7'],
    edits: [
      edit(
        PLAN,
        "return failure.isFinalForKey ? { plan: 'resolve' } :",
        "return failure.isFinalForKey === false ? { plan: 'settle', status: 'rejected' } :",
      ),
    ],
  },
  {
    name: 'a kept 500 is retried for ever',
    caughtBy: ['R7'],
    edits: [
      edit(PLAN, "return failure.isFinalForKey ? { plan: 'resolve' } :", "return failure.isFinalForKey === null ? { plan: 'resolve' } :"),
    ],
  },
  {
    name: 'an intent whose answer was lost is looked for in vain, and made anew',
    caughtBy: ['R7'],
    edits: [
      edit(PLAN, "return failure.isFinalForKey ? { plan: 'resolve' } :", "return failure.isFinalForKey !== null ? { plan: 'resolve' } :"),
      edit(
        'libs/payments/src/resolve-operation',
        "return seen === null ? NOTHING : { happened: 'done', fact: { of: 'intent', seen } };",
        'return NOTHING;',
      ),
    ],
  },
  {
    name: 'events are not told apart from their repetitions',
    caughtBy: ['R9'],
    edits: [edit('libs/webhooks/src/inbox.store', 'ON CONFLICT DO NOTHING RETURNING id', 'RETURNING id')],
    sql: 'ALTER TABLE webhook_events DROP CONSTRAINT webhook_events_pkey',
  },
  {
    name: 'money is a float, and nobody compares amounts',
    caughtBy: ['R5'],
    edits: [
      edit(
        'libs/payments/src/intent-request',
        'amount: request.amount,\n        currency: request.currency,',
        'amount: Math.floor(request.amount * 0.999),\n        currency: request.currency,',
      ),
      edit(OBSERVATION, 'if (seen.amount !== payment.amount)', 'if (seen.amount === null)'),
    ],
  },
  {
    name: 'refunds are reserved without a lock',
    // Two changes from one version: both reserve, or one undoes what the other told.
    caughtBy: ['R6', 'R7', 'R11'],
    edits: [
      edit(
        'libs/payments/src/payments.store',
        'SELECT 1 FROM orders WHERE id = ${orderId}::uuid FOR UPDATE',
        'SELECT 1 FROM orders WHERE id = ${orderId}::uuid',
      ),
      edit('libs/payments/src/payments.store', "AND o.version = (i.doc ->> 'version')::int", ''),
    ],
  },
  {
    // The search alone would find it.
    name: 'an event that could not be stored is acknowledged, and only what was not is looked for',
    caughtBy: ['R9'],
    edits: [
      edit(
        'apps/api/src/webhooks/stripe-webhook.controller',
        'receiveEvent(this.database.autocommit, event, jobId, this.clock.now()));',
        'receiveEvent(this.database.autocommit, event, jobId, this.clock.now())).catch(() => false);',
      ),
      edit(
        'libs/payments/src/stripe/stripe-gateway',
        'this.#stripe.events.list({ created, ...page })',
        'this.#stripe.events.list({ created, delivery_success: false, ...page })',
      ),
    ],
  },
  {
    name: 'the sweeper is off',
    caughtBy: ['R7', 'R9'],
    edits: [edit('apps/worker/src/sweeper', 'await requeue(autocommit, { hasLine, newId: () => entropy.uuid(), limit: BATCH_SIZE })', '0')],
  },
  {
    name: 'events that were lost are not looked for',
    caughtBy: ['R9'],
    edits: [
      edit('apps/worker/src/backfill-events', 'const missing = page.items.filter(({ id }) => !known.has(id));', 'const missing = [];'),
    ],
  },
  {
    name: 'the outbox is not emptied',
    caughtBy: ['R10'],
    edits: [edit('apps/worker/src/relay', 'deleteOutbox(autocommit, messages.map(({ id }) => id))', 'Promise.resolve()')],
  },
  {
    name: 'changes of orders are not on the timeline',
    caughtBy: ['R11'],
    edits: [
      edit(
        'libs/payments/src/payments.store',
        'AS e (id uuid, type text, cause text, data jsonb)',
        "AS e (id uuid, type text, cause text, data jsonb) WHERE e.type NOT LIKE 'order.%'",
      ),
    ],
  },
  {
    name: 'keys are written to the log',
    caughtBy: ['R12'],
    edits: [
      edit(
        'apps/api/src/http/command-answer',
        "const key = parseIdempotencyKey(headerValues(request, 'idempotency-key'), audience);",
        "const key = parseIdempotencyKey(headerValues(request, 'idempotency-key'), audience); console.log(key);",
      ),
    ],
  },
  {
    // Where only what is not final is overwritten, the next event mends most of it, and half a minute has too few orders that have no next one.
    name: 'an old event is applied over a newer one, even over a final state',
    caughtBy: ['R7', 'R8'],
    edits: [
      edit(OBSERVATION, 'if (isFinal(payment.status)) {', 'if (isFinal(payment.status) && isFresh === null) {'),
      edit(OBSERVATION, 'if (!isFinal(seen.status) && !isFresh)', 'if (!isFinal(seen.status) && isFresh === null)'),
      edit(OBSERVATION, 'if (seen.status !== payment.status && !PAYMENT_TRANSITIONS', 'if (isFresh === null && !PAYMENT_TRANSITIONS'),
    ],
  },
  {
    name: 'every order is charged in dollars, and nobody compares currencies',
    caughtBy: ['R5'],
    edits: [
      edit(
        'libs/payments/src/intent-request',
        'amount: request.amount,\n        currency: request.currency,',
        "amount: request.amount,\n        currency: 'usd',",
      ),
      edit(OBSERVATION, 'if (seen.currency !== payment.currency)', 'if (seen.currency === null)'),
    ],
  },
  {
    name: 'a refund that fails later stays returned',
    caughtBy: ['R7'],
    edits: [edit('libs/payments/src/refund-observation', 'succeeded: 1, failed: 2,', 'succeeded: 3, failed: 2,')],
  },
  {
    name: 'the search for lost events ends with its first page',
    caughtBy: ['R9'],
    edits: [edit('apps/worker/src/backfill-events', 'if (page.next === null)', 'if (page.next !== undefined)')],
  },
  {
    name: 'signatures of events are not looked at',
    caughtBy: ['R9'],
    edits: [
      edit(
        'libs/payments/src/stripe/stripe-webhooks',
        'if (!secrets.some((secret) => isSignedBy(body, signature, secret))) {',
        'if (secrets.length === 0) {',
      ),
    ],
  },
  {
    name: 'a list has the orders of all accounts',
    caughtBy: ['R13'],
    edits: [
      edit(
        'libs/orders/src/orders.store',
        'Prisma.sql `o.account_id = ${accountId}::uuid`',
        'Prisma.sql `o.account_id IS DISTINCT FROM ${accountId}::uuid`',
      ),
    ],
  },
];
