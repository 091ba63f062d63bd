import { pino } from 'pino';

/** Structured log lines: an event's words first, its facts as fields. */
export type Logger = pino.Logger;

/**
 * What no log line may hold, wherever in the logged object it stands (R12). Two levels deep is as far as we ever log;
 * pino's wildcard covers exactly one level, hence both forms.
 */
const SECRET_FIELDS = ['authorization', 'idempotencyKey', 'clientSecret', 'client_secret', 'secretKey', 'stripeIdempotencyKey', 'signature', 'card'];

/** The logger of one process. `level` is pino's; output is one JSON object per line on standard output. */
export function createLogger(process: string, level: string): Logger {
  return pino({
    level,
    base: { process },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      censor: '[redacted]',
    },
    serializers: { error: describeError },
  });
}

/** An error as log fields, without the driver's and SDK's own properties, which may quote parameters and headers. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  const cause = error.cause === undefined ? undefined : describeError(error.cause);
  return { name: error.name, message: error.message, stack: error.stack, ...(cause === undefined ? {} : { cause }) };
}
