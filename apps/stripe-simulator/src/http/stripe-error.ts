/** The only `type` values Stripe puts on the wire. */
export type StripeErrorType = 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';

export interface StripeErrorFields {
  type?: StripeErrorType;
  code?: string | undefined;
  message: string;
  param?: string | undefined;
  /** Further members of the error object: `decline_code`, `payment_intent`, `charge`, ... */
  details?: Record<string, unknown>;
  headers?: Record<string, string>;
  /** Said in place of all the above. */
  rawBody?: string;
  /**
   * Whether an idempotency key keeps this answer. Stripe keeps whatever an endpoint answered once it had begun to execute,
   * and nothing that was refused before: authentication, rate limits, the shape of parameters, a key in use.
   */
  kept?: boolean;
}

/** An answer other than success, as Stripe words it. */
export class StripeError extends Error {
  override readonly name = 'StripeError';
  readonly status: number;
  readonly fields: StripeErrorFields;

  constructor(status: number, fields: StripeErrorFields) {
    super(fields.message);
    this.status = status;
    this.fields = fields;
  }

  get kept(): boolean {
    return this.fields.kept ?? true;
  }

  body(context: { accountId: string; requestId: string }): string {
    const { type = 'invalid_request_error', code, message, param, details, rawBody } = this.fields;
    if (rawBody !== undefined) return rawBody;
    return JSON.stringify({
      error: {
        ...(code === undefined ? {} : { code, doc_url: docUrl(code) }),
        ...details,
        message,
        ...(param === undefined ? {} : { param }),
        request_log_url: `https://dashboard.stripe.com/${context.accountId}/test/workbench/logs?object=${context.requestId}`,
        type,
      },
    });
  }
}

export function docUrl(code: string): string {
  return `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}`;
}

/** A parameter refused for its shape, before anything executed. */
export function invalidParameter(code: string | undefined, message: string, param: string): StripeError {
  return new StripeError(400, { code, message, param, kept: false });
}

/** A refusal by the rules of the object, after execution began. */
export function invalidRequest(message: string, fields: Omit<StripeErrorFields, 'message'> = {}): StripeError {
  return new StripeError(400, { message, ...fields });
}

/** The object named by the path does not exist (404), or one named in the parameters does not (400). */
export function missingResource(kind: string, id: string, param: string, status: 400 | 404 = 404): StripeError {
  return new StripeError(status, { code: 'resource_missing', message: `No such ${kind}: '${id}'`, param });
}
