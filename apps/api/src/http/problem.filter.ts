import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { isDatabaseUnavailable } from '#libs/database';
import { DomainError, type ErrorCode } from '#libs/primitives';
import { type Logger } from '#libs/telemetry';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { bearerOf } from '../callers/authenticate.js';
import { pathOf, PROBLEM_TYPE, problemOf } from './problem.js';
import { PROBLEMS } from './problem-catalogue.js';
import { SECURITY_HEADERS } from './security-headers.js';

/** How long a client should let the database, or whatever else is slow, recover before it comes again. */
const UNAVAILABLE_RETRY_SECONDS = 1;

const CHALLENGE = 'Bearer realm="oncepay"';

/** The one place where an error becomes an HTTP answer: application/problem+json, RFC 9457. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.send(thrown, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  /** Also for what the router refuses before the framework hears of it. */
  send(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = domainErrorOf(thrown, request);
    // What the router refuses, and an asterisk for a path, has met no hook.
    if (!reply.hasHeader('X-Request-Id')) void reply.headers({ 'X-Request-Id': request.id, ...SECURITY_HEADERS });
    const { status } = PROBLEMS[error.code];
    if (status >= 500) this.logger.error({ error: thrown, requestId: request.id, path: pathOf(request) }, 'a request failed');
    else
      this.logger.info({ code: error.code, requestId: request.id, path: pathOf(request), method: request.method }, 'a request was refused');
    if (error.retryAfterSeconds !== undefined) void reply.header('Retry-After', String(error.retryAfterSeconds));
    if (error.location !== undefined) void reply.header('Location', error.location);
    const challenge = challengeOf(error, request);
    if (challenge !== null) void reply.header('WWW-Authenticate', challenge);
    void reply
      .status(status)
      .type(PROBLEM_TYPE)
      .send(JSON.stringify(problemOf(error, request)));
  }
}

/** What would have to be shown to be let in. Whoever showed nothing is told of no error. Source: RFC 6750, 3 and 3.1. */
function challengeOf({ code, missingScope }: DomainError, { headers }: FastifyRequest): string | null {
  if (missingScope !== undefined) return `${CHALLENGE}, error="insufficient_scope", scope="${missingScope}"`;
  if (code !== 'unauthenticated') return null;
  return bearerOf(headers.authorization) === undefined ? CHALLENGE : `${CHALLENGE}, error="invalid_token"`;
}

function domainErrorOf(thrown: unknown, request: FastifyRequest): DomainError {
  if (thrown instanceof DomainError) return thrown;
  if (isDatabaseUnavailable(thrown)) {
    return new DomainError('unavailable', 'The database does not answer. Nothing is known to be lost: send the same request again.', {
      retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS,
    });
  }
  const code = codeOf(statusOf(thrown));
  const message = thrown instanceof Error ? thrown.message : '';
  if (code === 'internal_error') return new DomainError(code, 'The request could not be carried out; nothing of it was stored.');
  if (code === 'not_found') return new DomainError(code, `There is no ${request.method} ${pathOf(request)} here.`);
  if (code === 'unavailable') {
    return new DomainError(code, `${message}. Send the same request again.`, { retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS });
  }
  return new DomainError(code, message, code === 'validation_failed' ? { errors: [{ field: 'request', message }] } : {});
}

function statusOf(thrown: unknown): number {
  if (thrown instanceof HttpException) return thrown.getStatus();
  return thrown instanceof Error && 'statusCode' in thrown && typeof thrown.statusCode === 'number' ? thrown.statusCode : 500;
}

/** What Fastify and Nest refuse on their own account. */
function codeOf(status: number): ErrorCode {
  // A path too long for any id names nothing either.
  if (status === 404 || status === 414) return 'not_found';
  if (status === 408) return 'request_timeout';
  if (status === 405) return 'method_not_allowed';
  if (status === 413) return 'payload_too_large';
  if (status === 415) return 'unsupported_media_type';
  if (status === 429) return 'rate_limited';
  if (status === 503) return 'unavailable';
  return status >= 400 && status < 500 ? 'validation_failed' : 'internal_error';
}
