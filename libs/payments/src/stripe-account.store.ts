import { type Tx } from '#libs/database';

/** The account at Stripe that the database is the record of. */
export interface RememberedAccount {
  readonly instance: string;
  readonly mode: string;
  /** null until a worker has learned it. */
  readonly stripeAccountId: string | null;
}

/** Writes down instance and mode if nothing is remembered yet; returns what is. Safe to repeat and to run twice at once. */
export async function rememberMode(tx: Tx, { instance, mode }: Pick<RememberedAccount, 'instance' | 'mode'>): Promise<RememberedAccount> {
  await tx.$executeRaw`
    INSERT INTO stripe_account (id, instance, mode, first_seen_at) VALUES (1, ${instance}, ${mode}, now()) ON CONFLICT (id) DO NOTHING`;
  return tx.stripeAccount.findUniqueOrThrow({ where: { id: 1 } });
}

/** Writes down whose the key is if no worker has done so yet; returns the account that is remembered. */
export async function rememberAccount(tx: Tx, stripeAccountId: string): Promise<string> {
  await tx.$executeRaw`UPDATE stripe_account SET stripe_account_id = ${stripeAccountId} WHERE id = 1 AND stripe_account_id IS NULL`;
  return (await tx.stripeAccount.findUniqueOrThrow({ where: { id: 1 } })).stripeAccountId ?? stripeAccountId;
}
