import { type Tx } from '#libs/database';

/** A key's row. */
export interface ApiKeyRow {
  readonly id: string;
  readonly accountId: string;
  readonly mode: string;
  readonly audience: string;
  readonly restricted: boolean;
  readonly hash: Uint8Array;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly origins: readonly string[];
  readonly ipRanges: readonly string[];
  readonly replaces: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly lastUsedAt: Date | null;
}

/** The row of a key by its public id. */
export function findApiKey(tx: Tx, id: string): Promise<ApiKeyRow | null> {
  return tx.apiKey.findUnique({ where: { id } });
}

/** Every key of an account in one mode, newest first; of all accounts without one. */
export function listApiKeys(tx: Tx, mode: string, accountId: string | null): Promise<ApiKeyRow[]> {
  return tx.apiKey.findMany({
    where: { mode, ...(accountId === null ? {} : { accountId }) },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
  });
}

/** Writes a new key. */
export async function insertApiKey(tx: Tx, { hash, scopes, origins, ipRanges, ...row }: ApiKeyRow): Promise<void> {
  await tx.apiKey.create({
    data: { ...row, hash: Uint8Array.from(hash), scopes: [...scopes], origins: [...origins], ipRanges: [...ipRanges] },
  });
}

/** Lets a key end at an instant, or earlier if it would anyway. */
export async function endApiKey(tx: Tx, id: string, at: Date): Promise<void> {
  await tx.apiKey.updateMany({ where: { id, OR: [{ expiresAt: null }, { expiresAt: { gt: at } }] }, data: { expiresAt: at } });
}

/** Revokes a key, unless it is already. */
export async function revokeApiKey(tx: Tx, id: string, now: Date): Promise<void> {
  await tx.apiKey.updateMany({ where: { id, OR: [{ revokedAt: null }, { revokedAt: { gt: now } }] }, data: { revokedAt: now } });
}

/** Notes that keys were in use. */
export async function markApiKeysUsed(tx: Tx, ids: readonly string[], at: Date): Promise<void> {
  await tx.apiKey.updateMany({ where: { id: { in: [...ids] } }, data: { lastUsedAt: at } });
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
