import { type Tx } from '#libs/database';

/** A key's row. */
export interface ApiKeyRow {
  readonly id: string;
  readonly accountId: string;
  readonly mode: string;
  readonly audience: string;
  readonly hash: Uint8Array;
  readonly scopes: readonly string[];
  readonly origins: readonly string[];
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

/** The row of a key by its public id. */
export function findApiKey(tx: Tx, id: string): Promise<ApiKeyRow | null> {
  return tx.apiKey.findUnique({
    where: { id },
    select: {
      id: true,
      accountId: true,
      mode: true,
      audience: true,
      hash: true,
      scopes: true,
      origins: true,
      expiresAt: true,
      revokedAt: true,
    },
  });
}

/** Whether a publishable key that is in force may be used on pages of this origin. */
export async function isOriginOfAKey(tx: Tx, origin: string, now: Date): Promise<boolean> {
  const key = await tx.apiKey.findFirst({
    where: {
      audience: 'publishable',
      origins: { has: origin },
      AND: [{ OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] }, { OR: [{ revokedAt: null }, { revokedAt: { gt: now } }] }],
    },
    select: { id: true },
  });
  return key !== null;
}
