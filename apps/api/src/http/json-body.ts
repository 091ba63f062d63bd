import { type FastifyInstance } from 'fastify';
import { parse } from 'secure-json-parse';
import { DomainError } from '#libs/primitives';
import { invalidBody } from './parse-request.js';
import { UnreadableBody } from './unreadable-body.js';

/** Nothing we take is nested deeper than a handful; hashing and validating recurse. */
const MAX_DEPTH = 32;
/** An order of 100 items holds some 600 values; the time validation takes grows with the square of their number. */
const MAX_VALUES = 2_000;
const RAW_PATH = '/webhooks/';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads request bodies. Under /webhooks/ the raw bytes are kept, whatever they claim to be, because the signature is
 * over them; everywhere else only JSON is taken, as it is or not at all: a body with members that could poison prototypes or
 * without a canonical form is handed on as unreadable.
 */
export function readJsonBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    if (request.url.startsWith(RAW_PATH)) return done(null, body);
    done(new DomainError('unsupported_media_type', 'Send the body as application/json.'));
  });
  fastify.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (request.url.startsWith(RAW_PATH)) return done(null, body);
    if (isIdentity(request.headers['content-encoding'])) done(null, body.length === 0 ? undefined : readJson(body));
    else done(new DomainError('unsupported_media_type', 'Send the body without a content encoding.'));
  });
}

function isIdentity(encoding: string | undefined): boolean {
  return encoding === undefined || encoding.toLowerCase() === 'identity';
}

function readJson(body: Buffer): unknown {
  let text: string;
  let value: unknown;
  try {
    text = utf8.decode(body);
    value = parse(text, { protoAction: 'error', constructorAction: 'error' });
  } catch {
    return new UnreadableBody(invalidBody('is not valid JSON in UTF-8'));
  }
  const fault = faultIn(value, text);
  return fault === null ? value : new UnreadableBody(invalidBody(fault));
}

/** Why a body cannot be taken whatever it is for. Level by level rather than recursively: a hostile one must not exhaust the stack first. */
function faultIn(body: unknown, text: string): string | null {
  let count = 0;
  let members = 0;
  let level: unknown[] = [body];
  for (let depth = 0; level.length > 0; depth += 1) {
    count += level.length;
    if (depth > MAX_DEPTH) return `is nested deeper than ${MAX_DEPTH} levels`;
    if (count > MAX_VALUES) return `holds more than ${MAX_VALUES} values`;
    const below: unknown[] = [];
    for (const value of level) {
      const fault = faultOf(value);
      if (fault !== null) return fault;
      if (typeof value !== 'object' || value === null) continue;
      if (!Array.isArray(value)) members += Object.keys(value).length;
      for (const member of Object.values(value)) below.push(member);
    }
    level = below;
  }
  return members === membersIn(text) ? null : 'names a member twice';
}

/**
 * How many members the objects of a JSON text have: each has one colon outside of strings. Of two with one name the parser keeps the
 * last, where a proxy may have read the first, and canonical JSON knows neither (RFC 8785, 3.1).
 */
function membersIn(text: string): number {
  return text.replaceAll(/"(?:[^"\\]+|\\.)*"/g, '').split(':').length - 1;
}

/** What JSON can say and canonical JSON (RFC 8785), class-transformer or PostgreSQL cannot hold. */
function faultOf(value: unknown): string | null {
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'holds a number that is too large';
  if (typeof value === 'string') return value.isWellFormed() ? null : 'holds half a surrogate pair';
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  for (const name of Object.keys(value)) {
    if (!name.isWellFormed()) return 'holds half a surrogate pair';
    if (name in Object.prototype) return `has a member named ${name}, which every object has already`;
  }
  return null;
}
