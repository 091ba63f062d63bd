import { type DomainError } from '#libs/primitives';
import { type FastifyRequest } from 'fastify';
import { PROBLEMS } from './problem-catalogue.js';

/** The media type of every error. Source: RFC 9457. */
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** A name or an address, perhaps with a port. */
const HOST = /^[\w.:[\]-]+$/;

/** The body of an error answer. Its type is the address of a page of ours that says how to mend it. */
export function problemOf({ code, detail, errors }: DomainError, request: FastifyRequest) {
  const { status, title } = PROBLEMS[code];
  return {
    type: `${originOf(request)}/problems/${code}`,
    title,
    status,
    detail,
    instance: pathOf(request),
    code,
    requestId: request.id,
    ...(errors.length > 0 ? { errors } : {}),
  };
}

/** What the client called us. No host, as HTTP/1.0 allows, or one that is none is not repeated: the type is then relative. Source: RFC 9457, 3.1.1. */
function originOf({ protocol, host }: FastifyRequest): string {
  return HOST.test(host) ? `${protocol}://${host}` : '';
}

/** Without the query, which may hold what a caller should not have put there. */
export function pathOf(request: FastifyRequest): string {
  return request.url.split('?')[0] ?? '/';
}
