import { type components } from './generated/api.js';

/** The members of a problem body (RFC 9457) as Oncepay sends them. */
type ProblemBody = components['schemas']['Problem'];
/** Why a request was refused; each is a page of the API under /problems/. */
export type ProblemCode = ProblemBody['code'];
/** One field of a request that is not as it must be. */
export type FieldError = Readonly<NonNullable<ProblemBody['errors']>[number]>;

/** `errors` is there, if need be without entries. */
type Problem = Readonly<ProblemBody & Required<Pick<ProblemBody, 'errors'>>>;

/** Oncepay refused. `code` says why, `type` is a page that says how to mend it. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  /** Names the request in the server's logs. */
  readonly requestId: string;
  /** With `validation_failed`: what is wrong, field by field. */
  readonly errors: readonly FieldError[];

  constructor(
    problem: Problem,
    /** How long the server asked to be left alone. */
    readonly retryAfterSeconds: number | null,
    /** With `idempotency_key_expired`: what the request made when it was carried out. */
    readonly location: string | null,
  ) {
    super(`${problem.status} ${problem.code}: ${problem.detail}`);
    this.type = problem.type;
    this.title = problem.title;
    this.status = problem.status;
    this.detail = problem.detail;
    this.code = problem.code;
    this.requestId = problem.requestId;
    this.errors = problem.errors;
  }
}

/**
 * No usable answer came in time. Whether the request was carried out is unknown, and need not be known: the same call, or `resume()`,
 * goes on under the same key. `cause` is what happened last.
 */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/** Something else than Oncepay answered, a proxy say, or another address. */
export class UnexpectedAnswerError extends Error {
  override readonly name = 'UnexpectedAnswerError';
  constructor(
    readonly status: number,
    readonly text: string,
  ) {
    super(`The answer (HTTP ${status}) is not one of Oncepay: ${text.slice(0, 200)}`);
  }
}

/** The error that an answer is. What is not a problem body in every member is not taken for one. */
export function errorOf({ status, headers }: Response, text: string): ProblemError | UnexpectedAnswerError {
  const problem = /^application\/problem\+json\b/i.test(headers.get('Content-Type') ?? '') ? problemOf(text) : null;
  if (problem === null || problem.status !== status) return new UnexpectedAnswerError(status, text);
  return new ProblemError(problem, retryAfterOf(headers), headers.get('Location'));
}

/** What `Retry-After` asks for, in seconds; null without one. Source: RFC 9110, 10.2.3. */
export function retryAfterOf(headers: Headers, now = Date.now()): number | null {
  const value = headers.get('Retry-After')?.trim() ?? '';
  if (/^\d+$/.test(value)) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, (at - now) / 1_000);
}

const TEXTS = ['type', 'title', 'detail', 'instance', 'code', 'requestId'] as const;

function problemOf(text: string): Problem | null {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null) return null;
    const isWhole =
      TEXTS.every((member) => typeof Reflect.get(body, member) === 'string') && typeof Reflect.get(body, 'status') === 'number';
    if (!isWhole) return null;
    const errors: unknown = Reflect.get(body, 'errors') ?? [];
    return Array.isArray(errors) && errors.every(isFieldError) ? { ...(body as Problem), errors } : null;
  } catch {
    return null;
  }
}

function isFieldError(value: unknown): value is FieldError {
  if (typeof value !== 'object' || value === null) return false;
  return typeof Reflect.get(value, 'field') === 'string' && typeof Reflect.get(value, 'message') === 'string';
}
