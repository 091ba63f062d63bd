-- What all workers share about the way to Stripe: circuit breakers, token buckets, and which work the breakers hold back.

CREATE TABLE "breakers" (
  "name" TEXT NOT NULL,
  "state" TEXT NOT NULL,
  "cause" TEXT,
  -- Outage failures in a row while closed, and how often it opened in a row.
  "failures" INTEGER NOT NULL DEFAULT 0,
  "trips" INTEGER NOT NULL DEFAULT 0,
  "opened_at" TIMESTAMPTZ(3),
  "open_until" TIMESTAMPTZ(3),
  -- Held by the one worker that probes; expires by itself when that worker dies.
  "probe_until" TIMESTAMPTZ(3),
  "last_error" TEXT,
  "version" INTEGER NOT NULL,
  CONSTRAINT "breakers_pkey" PRIMARY KEY ("name"),
  CONSTRAINT "breakers_state_check" CHECK ("state" IN ('closed', 'open')),
  CONSTRAINT "breakers_cause_check" CHECK ("cause" IN ('outage', 'credentials')),
  CONSTRAINT "breakers_count_check" CHECK ("failures" >= 0 AND "trips" >= 0),
  -- An open breaker always has an end: no worker waits for another to release it.
  CONSTRAINT "breakers_open_check" CHECK (("state" = 'open') = ("cause" IS NOT NULL AND "opened_at" IS NOT NULL AND "open_until" IS NOT NULL))
);

CREATE TABLE "rate_limits" (
  "name" TEXT NOT NULL,
  -- Every token up to here is given out.
  "next_at" TIMESTAMPTZ(6) NOT NULL,
  -- Where the queue of those who found no token ends.
  "line_at" TIMESTAMPTZ(6) NOT NULL,
  -- The part of the full rate that was left when Stripe last refused; it grows back from "share_at" on.
  "share" DOUBLE PRECISION NOT NULL,
  "share_at" TIMESTAMPTZ(6) NOT NULL,
  CONSTRAINT "rate_limits_pkey" PRIMARY KEY ("name"),
  CONSTRAINT "rate_limits_share_check" CHECK ("share" > 0 AND "share" <= 1)
);

-- The breaker that holds the work back: when it closes, all of it becomes due at once.
ALTER TABLE "payment_operations" ADD COLUMN "delayed_by" TEXT;
ALTER TABLE "webhook_events" ADD COLUMN "delayed_by" TEXT;
CREATE INDEX "payment_operations_delayed" ON "payment_operations"("delayed_by") WHERE "delayed_by" IS NOT NULL;
CREATE INDEX "webhook_events_delayed" ON "webhook_events"("delayed_by") WHERE "delayed_by" IS NOT NULL;
