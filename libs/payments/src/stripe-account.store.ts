import { type Tx } from '#libs/database';

/** The account at Stripe that the database is the record of. */
export interface RememberedAccount {
  readonly instance: string;
  readonly mode: string;
  /** null until a worker has learned it. */
  readonly stripeAccountId: string | null;
  /** Of the secret key that is known to belong here; null before any was. */
  readonly keyFingerprint: string | null;
}

/** Writes down instance, mode and key if nothing is remembered yet; returns what is. Safe to repeat and to run twice at once. */
export async function rememberStart(
  tx: Tx,
  { instance, mode, keyFingerprint }: Pick<RememberedAccount, 'instance' | 'mode' | 'keyFingerprint'>,
): Promise<RememberedAccount> {
  await tx.$executeRaw`
    INSERT INTO stripe_account (id, instance, mode, key_fingerprint, first_seen_at) VALUES (1, ${instance}, ${mode}, ${keyFingerprint}, now())
    ON CONFLICT (id) DO NOTHING`;
  return tx.stripeAccount.findUniqueOrThrow({ where: { id: 1 } });
}

/** The account at Stripe that this database is the record of; null until a worker has learned it. */
export async function findAccountId(tx: Tx): Promise<string | null> {
  return (await tx.stripeAccount.findUnique({ where: { id: 1 } }))?.stripeAccountId ?? null;
}

/** Writes down whose the key is if no worker has done so yet, and the key if it is the account's; returns the account that is remembered. */
export async function rememberAccount(tx: Tx, stripeAccountId: string, keyFingerprint: string): Promise<string> {
  const [known] = await tx.$queryRaw<[{ stripeAccountId: string }]>`
    UPDATE stripe_account SET
      stripe_account_id = coalesce(stripe_account_id, ${stripeAccountId}),
      key_fingerprint = CASE WHEN coalesce(stripe_account_id, ${stripeAccountId}) = ${stripeAccountId} THEN ${keyFingerprint} ELSE key_fingerprint END
    WHERE id = 1 RETURNING stripe_account_id AS "stripeAccountId"`;
  return known.stripeAccountId;
}
