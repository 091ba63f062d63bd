ALTER TABLE "api_keys"
  -- A secret key that was made with fewer scopes than there are.
  ADD COLUMN "restricted" BOOLEAN NOT NULL DEFAULT false,
  -- Where a secret key may be used from; empty: anywhere.
  ADD COLUMN "ip_ranges" TEXT[] DEFAULT ARRAY[]::TEXT[],
  -- The key it took the place of in a rotation.
  ADD COLUMN "replaces" TEXT,
  ADD CONSTRAINT "api_keys_restricted_check" CHECK (NOT "restricted" OR "audience" = 'secret');

-- How often a bucket was used in a minute. Unlogged: after a crash of the database the counts of that minute start anew.
CREATE UNLOGGED TABLE "rate_limit_counts" (
  "bucket" TEXT NOT NULL,
  "minute" INTEGER NOT NULL,
  "hits" INTEGER NOT NULL,
  CONSTRAINT "rate_limit_counts_pkey" PRIMARY KEY ("bucket", "minute"),
  CONSTRAINT "rate_limit_counts_hits_check" CHECK ("hits" > 0)
);
CREATE INDEX "rate_limit_counts_minute_idx" ON "rate_limit_counts"("minute");
