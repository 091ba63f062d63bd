import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { REFUSALS } from '../../apps/api/src/docs/refusals.js';
import { openApiText } from '../../tools/generate-openapi.js';
import { refund, refundIn } from '../support/commands.js';
import { type Answer } from '../support/http-client.js';
import { type OrderJson, SECRET_KEYS, type Stack, startStack } from '../support/stack.js';
import { waitFor } from '../support/wait-for.js';
import { unlike } from './like-example.js';

/** Operations without an example, and why. What is no operation of the document (webhooks, health, metrics) has none either. */
const WITHOUT_EXAMPLE: Readonly<Record<string, string>> = {};

/** Members of an answer that tell of the moment it was asked at, by operation. */
const VARYING: Readonly<Record<string, readonly string[]>> = {
  listWebhookEvents: ['attempts'],
  // `payload` is Stripe's own object.
  getWebhookEvent: ['attempts', 'payload'],
  replayWebhookEvent: ['attempts', 'payload'],
  listOperations: ['attempts', 'lastError', 'requestId'],
  retryOperation: ['attempts', 'lastError', 'requestId', 'status'],
  listFailedJobs: ['attempts', 'reason'],
  retryJob: ['attempts', 'reason'],
  requestReconciliation: ['requestedBy'],
  getReconciliation: ['requestedBy', 'status', 'startedAt', 'finishedAt', 'report'],
  listAudit: ['keyId'],
};

/** Headers that an answer has only when there is something to say. */
const SOMETIMES: readonly string[] = ['Idempotency-Replayed', 'Preference-Applied', 'Link'];

interface Shown {
  readonly schema: object;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

interface Content {
  readonly 'application/json'?: Shown;
  readonly 'application/problem+json'?: Shown;
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { name: string; in: string; examples?: Readonly<Record<string, { readonly value: string }>> }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content; readonly headers?: object }>>;
}

interface Documented {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

// Read before any test is declared, so that every operation of the document has its own.
const document: { paths: Record<string, Record<string, Operation>> } = JSON.parse(await openApiText());
const operations: readonly Documented[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
);

let stack: Stack;
before(async () => {
  stack = await startStack();
  await stack.call('/v1/prices/tshirt', { method: 'PUT', body: { name: 'T-shirt', currency: 'usd', unitAmount: 2_000 } });
});
after(() => stack.close());

/** Brings about what an example of an operation on one thing speaks of, and gives that thing's id. */
const PREPARE: Readonly<Record<string, () => Promise<string | void>>> = {
  listOrders: async () => void (await placed('paid')),
  getOrder: async () => (await placed('paid')).id,
  listOrderEvents: async () => (await placed('paid')).id,
  payOrder: async () => (await placed('requires_payment', { paymentMethod: 'pm_card_chargeDeclined' })).id,
  captureOrder: async () => (await placed('authorized', { captureMethod: 'manual' })).id,
  cancelOrder: async () => (await placed('requires_payment', { paymentMethod: undefined })).id,
  createRefund: async () => (await placed('paid')).id,
  listRefunds: async () => (await refunded()).order,
  getRefund: async () => (await refunded()).id,
  putPrice: async () => 'tshirt',
  listKeys: async () => void (await keyMade()),
  getKey: keyMade,
  rotateKey: keyMade,
  revokeKey: keyMade,
  listWebhookEvents: async () => void (await applied()),
  getWebhookEvent: applied,
  replayWebhookEvent: applied,
  listOperations: async () => void (await parked()),
  retryOperation: parked,
  listFailedJobs: async () => void (await failedJob()),
  retryJob: failedJob,
  getReconciliation: async () => {
    const { json } = await stack.call('/v1/ops/reconciliations', { body: { dryRun: true } });
    return String(json['id']);
  },
};

async function placed(status: string, more: object = {}): Promise<OrderJson> {
  const example = documented('createOrder').operation.requestBody?.content['application/json']?.examples?.['elements']?.value;
  assert.ok(typeof example === 'object');
  return stack.orderIn((await stack.order({ ...example, ...more })).id, status);
}

/** What an order is made like so that it comes to a status. */
const MADE_AS = { paid: {}, authorized: { captureMethod: 'manual' }, requires_payment: { paymentMethod: undefined } } as const;

async function refunded(): Promise<{ readonly id: string; readonly order: string }> {
  const { id } = await placed('paid');
  return refundIn(stack, (await refund(stack, id, { amount: 1_000, reason: 'requested_by_customer' })).id, 'succeeded');
}

async function keyMade(): Promise<string> {
  const body = documented('makeKey').operation.requestBody?.content['application/json']?.examples?.['restricted']?.value;
  return String((await stack.call('/v1/keys', { idempotencyKey: crypto.randomUUID(), body })).json['id']);
}

function applied(): Promise<string> {
  return waitFor('an event to be applied', async () => {
    const rows = await stack.database.query<{ id: string }>(
      `SELECT id FROM webhook_events WHERE type = 'payment_intent.succeeded' AND status = 'applied' LIMIT 1`,
    );
    return rows[0]?.id;
  });
}

async function parked(): Promise<string> {
  const { id } = await placed('paid');
  await stack.database.query(
    `UPDATE payment_operations SET status = 'parked', in_doubt = true, finished_at = NULL
     WHERE kind = 'confirm' AND id = (SELECT id FROM payment_operations WHERE kind = 'confirm' ORDER BY created_at DESC LIMIT 1)`,
  );
  const { text } = await stack.call('/v1/ops/operations?status=parked');
  const found = JSON.parse(text).data.find(({ order }: { order: string }) => order === id);
  return found.id;
}

async function failedJob(): Promise<string> {
  await stack.database.query(`INSERT INTO outbox (id, kind, payload) VALUES (gen_random_uuid(), 'payment-operation', '{}')`);
  return waitFor('a job to fail', async () => {
    const { text } = await stack.call('/v1/ops/jobs');
    return JSON.parse(text).data[0]?.id;
  });
}

function documented(operationId: string): Documented {
  return operations.find(({ operation }) => operation.operationId === operationId) ?? assert.fail(`there is no ${operationId}`);
}

function answerOf({ operation }: Documented): { readonly status: string; readonly json: NonNullable<Content['application/json']> } {
  const [status, response] = Object.entries(operation.responses).find(([code]) => code.startsWith('2')) ?? assert.fail('no success');
  return { status, json: response.content?.['application/json'] ?? assert.fail(`${operation.operationId} answers no JSON`) };
}

function refusalIn({ operationId, responses }: Operation, name: string): readonly [status: string, shown: Shown] {
  for (const [status, response] of Object.entries(responses)) {
    const problem = response.content?.['application/problem+json'];
    if (problem?.examples?.[name] !== undefined) return [status, problem];
  }
  return assert.fail(`${operationId} does not show the refusal ${name}`);
}

/** Sends the request that an example consists of, for the thing that was prepared. */
function send({ method, path, operation }: Documented, example: string, id: string | void): Promise<Answer> {
  const given = (operation.parameters ?? []).flatMap((parameter) => {
    const value = parameter.examples?.[example]?.value;
    return value === undefined ? [] : [{ ...parameter, value }];
  });
  const within = (place: string): Record<string, string> =>
    Object.fromEntries(given.filter((parameter) => parameter.in === place).map(({ name, value }) => [name, value]));
  const query = new URLSearchParams(within('query'));
  const headers = within('header');
  const body = operation.requestBody?.content['application/json']?.examples?.[example]?.value;
  return stack.call(`${path.replace('{id}', id ?? 'nothing')}?${query.toString()}`, {
    method,
    key: SECRET_KEYS[0],
    headers: {
      ...headers,
      // The document shows one key; here each request is another.
      ...((operation.parameters ?? []).some((parameter) => parameter.name === 'Idempotency-Key')
        ? { 'Idempotency-Key': crypto.randomUUID() }
        : {}),
    },
    ...(method === 'GET' ? {} : { body: body ?? {} }),
  });
}

describe('the OpenAPI document', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema(document, 'openapi');
  const problemsOf = (schema: object, value: unknown): string => {
    // References in the document point into it.
    const local = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/'));
    return ajv.validate(local, value) ? '' : ajv.errorsText();
  };

  it('has an example of every operation', () => {
    const without = operations.filter((each) => Object.keys(answerOf(each).json.examples ?? {}).length === 0);
    assert.deepEqual(
      without.map(({ operation }) => operation.operationId),
      Object.keys(WITHOUT_EXAMPLE),
      'apps/api/src/docs/examples.ts lacks examples',
    );
  });

  for (const each of operations) {
    const { method, path, operation } = each;
    const { operationId } = operation;
    const { status, json } = answerOf(each);
    for (const [name, { value }] of Object.entries(json.examples ?? {})) {
      it(`says what ${method} ${path} answers: ${name}`, async () => {
        const body = operation.requestBody?.content['application/json'];
        if (body !== undefined) assert.equal(problemsOf(body.schema, body.examples?.[name]?.value), '', 'the request of the example');
        assert.equal(problemsOf(json.schema, value), '', 'the answer of the example');

        const prepare = PREPARE[operationId];
        assert.ok(prepare !== undefined || !path.includes('{'), `PREPARE does not say what ${operationId} is sent for`);
        const answer = await send(each, name, await prepare?.());
        assert.equal(String(answer.status), status, answer.text);
        assert.equal(problemsOf(json.schema, answer.json), '', answer.text);
        assert.deepEqual(unlike(answer.json, value, new Set(VARYING[operationId])), []);
        const promised = Object.keys(operation.responses[status]?.headers ?? {}).filter((header) => !SOMETIMES.includes(header));
        assert.deepEqual(
          promised.filter((header) => !answer.headers.has(header)),
          [],
          'headers that are missing',
        );
      });
    }
  }

  for (const each of operations) {
    const { method, path, operation } = each;
    for (const [name, { of }] of Object.entries(REFUSALS[operation.operationId] ?? {})) {
      it(`says how ${method} ${path} refuses: ${name}`, async () => {
        const [status, problem] = refusalIn(operation, name);
        const value = problem.examples?.[name]?.value;
        assert.equal(problemsOf(problem.schema, value), '', 'the answer of the example');

        const answer = await send(each, name, of === undefined ? undefined : (await placed(of, MADE_AS[of])).id);
        assert.equal(String(answer.status), status, answer.text);
        assert.deepEqual(unlike(answer.json, value, new Set(['instance', 'requestId', 'message'])), []);
      });
    }
  }

  it('says what a refusal of any operation looks like', async () => {
    const problem = { $ref: '#/components/schemas/Problem', unevaluatedProperties: false };
    for (const each of operations) assert.ok('default' in each.operation.responses, each.operation.operationId);
    for (const answer of [
      await stack.call('/v1/orders', { idempotencyKey: crypto.randomUUID(), body: { currency: 'usd', items: [] } }),
      await stack.call('/v1/orders/none'),
      await stack.call('/v1/orders', { key: 'none' }),
    ])
      assert.equal(problemsOf(problem, answer.json), '', answer.text);
  });
});
