import { type FastifyRequest } from 'fastify';
import { invalid } from './parse-request.js';
import { isForAnotherHost } from './request-target.js';

/** Of these Node reads the first and drops the rest, where a proxy may read the last. */
const SENT_ONCE = ['host', 'authorization'];

/**
 * Refuses what a proxy and this server could read as two different requests: a header twice that is one, no host or two, a body in
 * a transfer coding that nobody undoes. Throws DomainError validation_failed. Source: RFC 9112, 3.2 and 6.1.
 */
export function assertUnambiguous({ headers, raw, originalUrl }: FastifyRequest): void {
  for (const name of SENT_ONCE)
    if (timesSent(raw.rawHeaders, name) > 1) throw invalid([{ field: name, message: 'was sent more than once' }]);
  if (headers.host === undefined && raw.httpVersion === '1.1') throw invalid([{ field: 'host', message: 'is missing' }]);
  if (isForAnotherHost(originalUrl, headers.host)) throw invalid([{ field: 'host', message: 'must be the host of the request target' }]);
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    throw invalid([{ field: 'transfer-encoding', message: 'must be chunked, or absent' }]);
}

function timesSent(rawHeaders: readonly string[], name: string): number {
  return rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length;
}
