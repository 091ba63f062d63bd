import { type OpenAPIObject } from '@nestjs/swagger';
import { PROBLEMS } from '../http/problem-catalogue.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

const text = (description: string): object => ({ description, schema: { type: 'string' } });

/** Headers of answers, by the names they have in the document. */
const HEADERS = {
  'X-Request-Id': text("Names the request in the server's logs; every answer has one of its own."),
  RateLimit: text('Where the caller stands: `r` requests are left, the count begins anew in `t` seconds.'),
  'RateLimit-Policy': text('The limit: `q` requests in `w` seconds, by key or, for publishable keys, by address.'),
  ETag: text('Names this state of the body.'),
  Location: text('What was made.'),
  'Idempotency-Replayed': text('`true` when this is the stored answer of an earlier request with the same key.'),
  'Preference-Applied': text('The `wait` that was granted, at most 30 seconds.'),
  Link: text('The next page, if there is one (`rel="next"`).'),
  'Retry-After': text('How many seconds to wait before the same request is sent again.'),
};
type HeaderName = keyof typeof HEADERS;

const ALWAYS: readonly HeaderName[] = ['X-Request-Id', 'RateLimit', 'RateLimit-Policy'];

const PREFER = {
  name: 'Prefer',
  in: 'header',
  required: false,
  description: '`wait=N` holds the answer until nothing is under way any more, or for N seconds, at most 30 (RFC 7240).',
  schema: { type: 'string' },
} as const;
const IF_NONE_MATCH = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  description: 'An ETag: while it is still the current one, the answer is 304 without a body.',
  schema: { type: 'string' },
} as const;

/** Reads and commands that `Prefer: wait` holds back. */
const WAITING: readonly string[] = ['createOrder', 'getOrder', 'payOrder', 'captureOrder', 'cancelOrder', 'createRefund', 'getRefund'];

const PROBLEM = {
  type: 'object',
  description: 'Why a request was refused (RFC 9457).',
  required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'requestId'],
  properties: {
    type: { type: 'string', description: 'A page of this server that says how to mend it.' },
    title: { type: 'string' },
    status: { type: 'integer', description: 'The HTTP status.' },
    detail: { type: 'string', description: 'What was wrong this time.' },
    instance: { type: 'string', description: 'The path that was asked.' },
    code: { type: 'string', enum: Object.keys(PROBLEMS), description: 'What programs go by.' },
    requestId: { type: 'string', description: 'Of the request that was refused first, if this is its stored answer.' },
    errors: {
      type: 'array',
      description: 'What is wrong, field by field.',
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: { field: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};

const PROBLEM_EXAMPLE = {
  type: 'http://localhost:3000/problems/validation_failed',
  title: PROBLEMS.validation_failed.title,
  status: 400,
  detail: 'Some items cannot be ordered.',
  instance: '/v1/orders',
  code: 'validation_failed',
  requestId: 'req_Yx3kq0VfJ2mB7c1d',
  errors: [{ field: 'items.0.price', message: 'is no active price: tshirt' }],
};

/** Adds what operations refer to: the problem that each may answer, and the headers of answers. */
export function addProtocol(document: OpenAPIObject): void {
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem: PROBLEM },
    headers: { ...HEADERS },
    responses: {
      Problem: {
        description: 'It was refused, or could not be done now; `code` says why.',
        headers: referred(['X-Request-Id', 'Retry-After']),
        content: {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' }, example: PROBLEM_EXAMPLE },
        },
      },
    },
  };
}

/** Adds to an operation what HTTP carries beside the bodies: waiting, conditions, the headers of its answers, and its refusals. */
export function addConventions(operation: Operation, method: string): void {
  const { operationId = '', parameters = [] } = operation;
  const waits = WAITING.includes(operationId);
  const named = (name: string): boolean => parameters.some((parameter) => !('$ref' in parameter) && parameter.name === name);
  const isRead = method === 'get';
  for (const [status, response] of Object.entries(operation.responses)) {
    if (!status.startsWith('2') || response === undefined || '$ref' in response) continue;
    response.headers = {
      ...referred([
        ...ALWAYS,
        'ETag',
        ...(status === '201' && named('Idempotency-Key') ? (['Location'] as const) : []),
        ...(named('Idempotency-Key') ? (['Idempotency-Replayed'] as const) : []),
        ...(waits ? (['Preference-Applied'] as const) : []),
        ...(named('startingAfter') ? (['Link'] as const) : []),
      ]),
    };
  }
  if (isRead)
    operation.responses['304'] = { description: 'Nothing has changed since that ETag.', headers: referred(['X-Request-Id', 'ETag']) };
  operation.responses['default'] = { $ref: '#/components/responses/Problem' };
  operation.parameters = [...parameters, ...(waits ? [PREFER] : []), ...(isRead ? [IF_NONE_MATCH] : [])];
}

/** Adds what HTTP carries where nobody says who they are: no limit is theirs, and nothing is asked for by its state. */
export function addPublicConventions({ responses }: Operation): void {
  for (const response of Object.values(responses))
    if (response !== undefined && !('$ref' in response)) response.headers = referred(['X-Request-Id']);
  responses['default'] = { $ref: '#/components/responses/Problem' };
}

function referred(names: readonly HeaderName[]): Record<string, { $ref: string }> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
