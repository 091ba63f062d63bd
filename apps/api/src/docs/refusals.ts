import { type OpenAPIObject } from '@nestjs/swagger';
import { type ErrorCode } from '#libs/primitives';
import { PROBLEMS } from '../http/problem-catalogue.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** One request that is refused, and as what. */
export interface Refusal {
  /** The status that the order has when it is asked for. */
  readonly of?: 'requires_payment' | 'authorized' | 'paid';
  readonly summary?: string;
  /** Headers besides the idempotency key, and what a path names that is no order or refund, by name. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly field?: string;
}

const STICKER = { currency: 'usd', items: [{ name: 'Sticker', unitAmount: 49, quantity: 1 }] };

/** Refusals by operationId and name. test/contract/openapi-examples.spec.ts sends each of them and compares the problem. */
export const REFUSALS: Readonly<Record<string, Readonly<Record<string, Refusal>>>> = {
  createOrder: {
    tooSmall: {
      summary: 'Less than Stripe charges',
      body: STICKER,
      code: 'amount_too_small',
      detail: 'The total is 0.49 USD; Stripe charges at least 0.50 USD.',
    },
    unknownPrice: {
      summary: 'A price that is not in the catalogue',
      body: { currency: 'usd', items: [{ price: 'hat', quantity: 1 }] },
      code: 'validation_failed',
      detail: 'Some items cannot be ordered.',
      field: 'items.0.price',
    },
  },
  getOrder: { unknown: { summary: 'No order of this account', code: 'not_found', detail: 'There is no order with this id.' } },
  payOrder: {
    alreadyPaid: {
      summary: 'The order is paid',
      of: 'paid',
      body: { paymentMethod: 'pm_card_mastercard' },
      code: 'order_not_payable',
      detail: 'The order is paid; it can be paid only while it requires payment.',
    },
  },
  captureOrder: {
    unpaid: {
      summary: 'Nothing is authorized',
      of: 'requires_payment',
      body: {},
      code: 'order_not_capturable',
      detail: 'The order is requires_payment; it can be captured only while it is authorized.',
    },
    tooMuch: {
      summary: 'More than is authorized',
      of: 'authorized',
      body: { amount: 4301 },
      code: 'validation_failed',
      detail: 'amount must not be more than the authorised 43.00 USD',
      field: 'amount',
    },
  },
  cancelOrder: {
    alreadyPaid: {
      summary: 'The order is paid',
      of: 'paid',
      code: 'order_not_cancelable',
      detail: 'The order is paid; it cannot be canceled.',
    },
    changed: {
      summary: 'The order has changed since it was seen',
      of: 'requires_payment',
      parameters: { 'If-Match': '"Hz4ll5tjwW8GFiSjz-HmCf"' },
      code: 'precondition_failed',
      detail: 'The order is no longer as you last saw it.',
    },
  },
  createRefund: {
    tooMuch: {
      summary: 'More than is left of what was captured',
      of: 'paid',
      body: { amount: 4301 },
      code: 'refund_exceeds_captured',
      detail: 'Of 43.00 USD captured, 43.00 USD are neither refunded nor pending.',
    },
    notCaptured: {
      summary: 'Nothing was captured yet',
      of: 'authorized',
      body: { amount: 1000 },
      code: 'order_not_refundable',
      detail: 'The order is authorized; it has no captured money to return.',
    },
  },
  receiveWebhook: {
    unsigned: {
      summary: 'Not signed by Stripe',
      code: 'webhook_signature_invalid',
      detail: 'The Stripe-Signature header is missing.',
    },
  },
  readProblem: {
    unknown: {
      summary: 'No code of ours',
      parameters: { code: 'nothing' },
      code: 'not_found',
      detail: 'There is no problem with this code.',
    },
  },
  getRefund: { unknown: { summary: 'No refund of this account', code: 'not_found', detail: 'There is no refund with this id.' } },
};

/** Adds the refusals of an operation by their status, each with the request that meets it. */
export function addRefusals({ operationId = '', parameters = [], requestBody, responses }: Operation, path: string): void {
  for (const [name, refusal] of Object.entries(REFUSALS[operationId] ?? {})) {
    const { code, summary, body } = refusal;
    const shown = { ...(summary === undefined ? {} : { summary }), value: problemOf(refusal, path) };
    const status = String(PROBLEMS[code].status);
    const known = responses[status];
    const content = known !== undefined && 'content' in known ? known.content?.['application/problem+json'] : undefined;
    responses[status] = {
      description: 'It was refused; `code` says why.',
      content: {
        'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' }, examples: { ...content?.examples, [name]: shown } },
      },
    };
    for (const parameter of parameters) {
      const value = 'name' in parameter ? refusal.parameters?.[parameter.name] : undefined;
      if (value !== undefined && 'name' in parameter) parameter.examples = { ...parameter.examples, [name]: { value } };
    }
    const json = requestBody !== undefined && 'content' in requestBody ? requestBody.content['application/json'] : undefined;
    if (body !== undefined && json !== undefined) json.examples = { ...json.examples, [name]: { ...shown, value: body } };
  }
}

function problemOf({ code, detail, field }: Refusal, path: string): object {
  const { status, title } = PROBLEMS[code];
  const id = path.includes('/refunds/') ? 'ref_01kax3k6wbf3e9tmgb0jv3c2q7' : 'ord_01kax3k6wbf3e9tmgb0jv3c2q4';
  return {
    type: `https://api.example/problems/${code}`,
    title,
    status,
    detail,
    instance: path.replace('{id}', id).replace('{code}', 'nothing'),
    code,
    requestId: 'req_Yx3kq0VfJ2mB7c1d',
    ...(field === undefined ? {} : { errors: [{ field, message: detail }] }),
  };
}
