import { type IdempotencyScope } from '#libs/idempotency';

/** What a key may be allowed to do. */
export const SCOPES = ['orders:write', 'orders:read', 'prices:write', 'prices:read', 'ops', 'keys'] as const;

/** One permission. */
export type Scope = (typeof SCOPES)[number];

/** Whoever sent a request: an account, in one mode, by one kind of key. */
export interface Caller extends IdempotencyScope {
  readonly keyId: string;
  readonly scopes: readonly Scope[];
  /** Where a publishable key's pages live; null allows every origin, which only development keys have. */
  readonly origins: readonly string[] | null;
}

/** What a publishable key may do, whatever else its row says: it lies in every browser. */
export const PUBLISHABLE_SCOPES: readonly Scope[] = ['orders:write', 'orders:read', 'prices:read'];

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the guard on every route that is not public. */
    caller?: Caller;
  }
}
