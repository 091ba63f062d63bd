-- A worker whose key is the one that was let through last need not ask Stripe whose it is.
ALTER TABLE "stripe_account" ADD COLUMN "key_fingerprint" TEXT;
