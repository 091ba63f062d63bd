import { type FastifyInstance } from 'fastify';
import { parse } from 'secure-json-parse';
import { DomainError } from '#libs/primitives';

/** Nothing we take is nested deeper than a handful; hashing and validating recurse. */
const MAX_DEPTH = 32;
const RAW_PATH = '/webhooks/';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads request bodies. Under /webhooks/ the raw bytes are kept, whatever they claim to be, because the signature is
 * over them; everywhere else only JSON is taken. Members that could poison prototypes are refused.
 */
export function readJsonBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    if (request.url.startsWith(RAW_PATH)) return done(null, body);
    done(new DomainError('unsupported_media_type', 'Send the body as application/json.'));
  });
  fastify.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (request.url.startsWith(RAW_PATH)) return done(null, body);
    try {
      done(null, body.length === 0 ? undefined : parseJson(body));
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

function parseJson(body: Buffer): unknown {
  let value: unknown;
  try {
    value = parse(utf8.decode(body), { protoAction: 'error', constructorAction: 'error' });
  } catch {
    throw new DomainError('validation_failed', 'The body is not valid JSON in UTF-8.');
  }
  if (depthExceeds(value, MAX_DEPTH)) throw new DomainError('validation_failed', `The body is nested deeper than ${MAX_DEPTH} levels.`);
  return value;
}

/** Level by level rather than recursively: a hostile body must not exhaust the stack before it is refused. */
function depthExceeds(value: unknown, limit: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limit) return true;
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return false;
}
