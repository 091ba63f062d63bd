import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { REFUSALS } from '../../apps/api/src/docs/refusals.js';
import { clientTypes } from '../../tools/generate-client-types.js';
import { openApiText } from '../../tools/generate-openapi.js';
import { refund, refundIn } from '../support/commands.js';
import { type Answer } from '../support/http-client.js';
import { type OrderJson, SECRET_KEYS, type Stack, startStack } from '../support/stack.js';
import { signatureOf } from '../support/stripe-events.js';
import { waitFor } from '../support/wait-for.js';
import { unlike, unlikeText } from './like-example.js';

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
  readBacklog: ['operationSeconds', 'outboxSeconds', 'eventSeconds'],
  readDescription: ['info', 'paths', 'components', 'servers', 'tags'],
};

const JSON_TYPE = 'application/json';

/** Headers that an answer has only when there is something to say. */
const SOMETIMES: readonly string[] = ['Idempotency-Replayed', 'Preference-Applied', 'Link'];

interface Shown {
  readonly schema: object;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

type Content = Readonly<Record<string, Shown | undefined>>;

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
const generated = await openApiText();
const document: { paths: Record<string, Record<string, Operation>> } = JSON.parse(generated);
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
  readProblem: async () => 'refund_exceeds_captured',
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
  const example = documented('createOrder').operation.requestBody?.content[JSON_TYPE]?.examples?.['elements']?.value;
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
  const body = documented('makeKey').operation.requestBody?.content[JSON_TYPE]?.examples?.['restricted']?.value;
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

/** The examples of what an operation answers, by media type; one without any has a nameless one. */
function examplesOf({ operation }: Documented): readonly { status: string; type: string; schema: object; name: string; value: unknown }[] {
  const [status, { content = { nothing: undefined } }] =
    Object.entries(operation.responses).find(([code]) => code.startsWith('2')) ?? assert.fail('no success');
  return Object.entries(content).flatMap(([type, shown]) => {
    const { schema = {}, examples = {} } = shown ?? {};
    const named = Object.entries(examples).map(([name, { value }]) => ({ status, type, schema, name, value }));
    return named.length > 0 ? named : [{ status, type, schema, name: '', value: undefined }];
  });
}

function refusalIn({ operationId, responses }: Operation, name: string): readonly [status: string, shown: Shown] {
  for (const [status, response] of Object.entries(responses)) {
    const problem = response.content?.['application/problem+json'];
    if (problem?.examples?.[name] !== undefined) return [status, problem];
  }
  return assert.fail(`${operationId} does not show the refusal ${name}`);
}

/** Sends the request that an example consists of, for the thing that was prepared, and asks for a media type. */
function send({ method, path, operation }: Documented, example: string, id: string | void, type = JSON_TYPE): Promise<Answer> {
  const given = (operation.parameters ?? []).flatMap((parameter) => {
    const value = parameter.examples?.[example]?.value;
    return value === undefined ? [] : [{ ...parameter, value }];
  });
  const within = (place: string): Record<string, string> =>
    Object.fromEntries(given.filter((parameter) => parameter.in === place).map(({ name, value }) => [name, value]));
  const query = new URLSearchParams(within('query'));
  const headers = within('header');
  const body = JSON.stringify(operation.requestBody?.content[JSON_TYPE]?.examples?.[example]?.value ?? {});
  const to = `${path.replace(/\{\w+\}/, id ?? Object.values(within('path'))[0] ?? 'nothing')}?${query.toString()}`;
  if (type === 'text/event-stream') return beginningOf(to);
  return stack.call(to, {
    method,
    key: SECRET_KEYS[0],
    headers: {
      ...headers,
      Accept: type,
      // The document shows one key; here each request is another.
      ...((operation.parameters ?? []).some((parameter) => parameter.name === 'Idempotency-Key')
        ? { 'Idempotency-Key': crypto.randomUUID() }
        : {}),
      // Signed over these bytes, at this moment.
      ...('Stripe-Signature' in headers ? { 'Stripe-Signature': signatureOf(body, { secret: stack.webhookSecret }) } : {}),
    },
    ...(method === 'GET' ? {} : { body }),
  });
}

/** The answer to a request for an event stream, as far as it has come with its first event. */
async function beginningOf(path: string): Promise<Answer> {
  const leaving = new AbortController();
  const { status, headers, body } = await fetch(`${stack.apiUrl}${path}`, {
    headers: { Accept: 'text/event-stream', Authorization: `Bearer ${SECRET_KEYS[0]}` },
    signal: leaving.signal,
  });
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (/^data: .*\n\n/m.test(text)) break;
  }
  leaving.abort();
  return { status, headers, text, json: {} };
}

describe('the OpenAPI document', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema(document, 'openapi');
  const problemsOf = (schema: object, value: unknown): string => {
    // References in the document point into it.
    const local = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/'));
    return ajv.validate(local, value) ? '' : ajv.errorsText();
  };

  it('is the one that is committed, and the types of the client are made of it', async () => {
    const committed = (file: string): string => readFileSync(resolve(import.meta.dirname, '../../..', file), 'utf8');
    for (const [file, text] of [
      ['openapi.json', generated],
      ['clients/typescript/src/generated/api.ts', await clientTypes(generated)],
    ] as const)
      assert.ok(committed(file) === text, `${file} is stale: run npm run generate and commit the result`);
  });

  it('has an example of every operation, in every form of its answer', () => {
    const without = operations.flatMap((each) =>
      examplesOf(each).map(({ name, type }) => ({ name, of: `${each.operation.operationId}: ${type}` })),
    );
    assert.deepEqual(
      without.filter(({ name }) => name === '').map(({ of }) => of),
      [],
      'apps/api/src/docs/examples.ts lacks examples',
    );
  });

  for (const each of operations) {
    const { method, path, operation } = each;
    const { operationId } = operation;
    for (const { status, type, schema, name, value } of examplesOf(each).filter((one) => one.name !== '')) {
      it(`says what ${method} ${path} answers: ${name}`, async () => {
        const body = operation.requestBody?.content[JSON_TYPE];
        if (body !== undefined) assert.equal(problemsOf(body.schema, body.examples?.[name]?.value), '', 'the request of the example');
        assert.equal(problemsOf(schema, value), '', 'the answer of the example');

        const prepare = PREPARE[operationId];
        assert.ok(prepare !== undefined || !path.includes('{'), `PREPARE does not say what ${operationId} is sent for`);
        const answer = await send(each, name, await prepare?.(), type);
        assert.equal(String(answer.status), status, answer.text);
        assert.equal(answer.headers.get('Content-Type')?.split(';')[0], type);
        if (type === JSON_TYPE) {
          assert.equal(problemsOf(schema, answer.json), '', answer.text);
          assert.deepEqual(unlike(answer.json, value, new Set(VARYING[operationId])), []);
        } else assert.deepEqual(unlikeText(answer.text, String(value)), [], answer.text);
        const promised = Object.keys(operation.responses[status]?.headers ?? {}).filter(
          (header) => !SOMETIMES.includes(header) && (type === JSON_TYPE || header !== 'ETag'),
        );
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
