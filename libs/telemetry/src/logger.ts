import { maskCardNumbers } from '#libs/primitives';
import { pino } from 'pino';
import { correlation } from './correlation.js';

/** Structured log lines: an event's words first, its facts as fields. */
export type Logger = pino.Logger;

/** What no log line may hold, wherever in the logged object it stands and however it is capitalised (R12). */
const SECRET_FIELDS = new Set(
  [
    'authorization',
    'cookie',
    'idempotency-key',
    'stripe-signature',
    'oncepay-client-secret',
    'idempotencyKey',
    'stripeIdempotencyKey',
    'clientSecret',
    'client_secret',
    'secretKey',
    'signature',
    'card',
  ].map((name) => name.toLowerCase()),
);

/**
 * What gives a secret away within a text that somebody else wrote, such as an error of the database: API keys, ours for browsers
 * among them, signing secrets, client secrets, access tokens, passwords in URLs. Stripe's publishable key opens nothing. A text that merely
 * looks like one is no great loss.
 */
const SECRET_TEXT =
  /(?:[sr]k|oncepay_pk)_(?:test|live)_[\w-]+|whsec_[\w-]+|eyJ[\w-]+\.[\w-]+\.[\w-]*|(?<=_secret_)[\w-]+|(?<=:\/\/)[^\s/@"]*:[^\s/@"]+(?=@)/g;
const CENSORED = '[redacted]';

/** No fact lies deeper, and no object that does was meant to be logged. */
const MAX_DEPTH = 5;

/** A text that somebody else wrote, without what gives a secret away in it (R12). */
export function censored(text: string): string {
  return maskCardNumbers(text.replaceAll(SECRET_TEXT, CENSORED));
}

/** The logger of one process. `level` is pino's; output is one JSON object per line on standard output. */
export function createLogger(process: string, level: string): Logger {
  return pino({
    level,
    base: { process },
    errorKey: 'error',
    mixin: () => ({ ...correlation() }),
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label) => ({ level: label }),
      log: (facts) => presentMembers(facts, MAX_DEPTH),
    },
    hooks: { streamWrite: censored },
    // It would add to an error what the formatter leaves out.
    serializers: { error: (error: unknown) => error },
  });
}

function presentMembers(members: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, presentMember(name, value, depth - 1)]));
}

function presentMember(name: string, value: unknown, depth: number): unknown {
  if (SECRET_FIELDS.has(name.toLowerCase())) return CENSORED;
  // Anything can be thrown.
  return name === 'error' && !(value instanceof Error) ? { message: String(value) } : present(value, depth);
}

function present(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth <= 0) return '[deeper]';
  if (value instanceof Error) return presentError(value, depth);
  if (Array.isArray(value)) return value.map((item) => present(item, depth - 1));
  return isRecord(value) ? presentMembers(value, depth) : value;
}

/** An error as log fields, without the driver's and SDK's own properties, which may quote parameters and headers. */
function presentError({ name, message, stack, cause }: Error, depth: number): object {
  return { name, message, stack, ...(cause === undefined ? {} : { cause: presentMember('error', cause, depth - 1) }) };
}

/** Dates, buffers and the like have a form of their own. */
function isRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
