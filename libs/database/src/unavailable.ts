import { Prisma } from './generated/client.js';

/** Prisma: unreachable, timed out, connection closed, no connection from the pool, transaction not started or expired. */
const UNAVAILABLE_PRISMA = new Set([
  'P1000',
  'P1001',
  'P1002',
  'P1003',
  'P1008',
  'P1010',
  'P1011',
  'P1017',
  'P2024',
  'P2028',
  'P2034',
  'P2037',
]);
/** The same as the driver adapter names them: a raw query keeps only this name, under Prisma's code for any failed raw query. */
const UNAVAILABLE_KIND = new Set([
  'AuthenticationFailed',
  'DatabaseNotReachable',
  'DatabaseDoesNotExist',
  'DatabaseAccessDenied',
  'SocketTimeout',
  'TlsConnectionError',
  'ConnectionClosed',
  'TooManyConnections',
  'TransactionWriteConflict',
]);
/** SQLSTATE classes: connection, insufficient resources, operator intervention, system error; and aborts that a repeat cures. */
const UNAVAILABLE_SQLSTATE = /^(08|53|57|58)|^(40001|40P01|55P03|25006)$/;
/** SQLSTATE of a statement that waited longer than lock_timeout. */
const LOCK_NOT_AVAILABLE = '55P03';
const UNAVAILABLE_SYSTEM = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH']);
const UNAVAILABLE_TEXT =
  /connection terminated|timeout exceeded when trying to connect|query read timeout|connection ended|client has encountered a connection error/i;

/**
 * Whether an error means that the database could not do the work now, so that nothing can be said of its outcome:
 * the same request may be sent again with the same idempotency key.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  return someCause(
    error,
    (current) =>
      current instanceof Prisma.PrismaClientInitializationError ||
      codes(current).some(
        (code) =>
          UNAVAILABLE_PRISMA.has(code) || UNAVAILABLE_KIND.has(code) || UNAVAILABLE_SQLSTATE.test(code) || UNAVAILABLE_SYSTEM.has(code),
      ) ||
      UNAVAILABLE_TEXT.test(current.message),
  );
}

/** Whether an error means that somebody else held a lock for too long. Nothing was changed. */
export function isLockTimeout(error: unknown): boolean {
  return someCause(error, (current) => codes(current).includes(LOCK_NOT_AVAILABLE));
}

function someCause(error: unknown, test: (error: Error) => boolean): boolean {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; current = nested(current), depth += 1) {
    if (test(current)) return true;
  }
  return false;
}

/** Prisma keeps the driver's error in `meta.driverAdapterError` and that one the original in `cause`. */
function nested(error: Error): unknown {
  const meta: unknown = 'meta' in error ? error.meta : undefined;
  return (typeof meta === 'object' && meta !== null && 'driverAdapterError' in meta ? meta.driverAdapterError : undefined) ?? error.cause;
}

function codes(error: Error): string[] {
  const own: unknown = 'code' in error ? error.code : undefined;
  const cause: object = typeof error.cause === 'object' && error.cause !== null ? error.cause : {};
  const original: unknown = 'originalCode' in cause ? cause.originalCode : 'code' in cause ? cause.code : undefined;
  const kind: unknown = 'kind' in cause ? cause.kind : undefined;
  return [own, original, kind].filter((code): code is string => typeof code === 'string');
}
