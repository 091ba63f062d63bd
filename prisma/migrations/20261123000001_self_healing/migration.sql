-- What the worker does at its times. Every worker process tries to take the row; the one that does runs the turn.
CREATE TABLE "scheduled_tasks" (
  "name" TEXT NOT NULL,
  "next_run_at" TIMESTAMPTZ(3) NOT NULL,
  "fence" BIGINT NOT NULL DEFAULT 0,
  "lease_until" TIMESTAMPTZ(3),
  "completed" BOOLEAN NOT NULL DEFAULT false,
  "cursor_at" TIMESTAMPTZ(3),
  CONSTRAINT "scheduled_tasks_pkey" PRIMARY KEY ("name")
);

CREATE TABLE "reconciliations" (
  "id" UUID NOT NULL,
  "dry_run" BOOLEAN NOT NULL,
  "status" TEXT NOT NULL,
  "requested_by" TEXT NOT NULL,
  "requested_at" TIMESTAMPTZ(3) NOT NULL,
  "started_at" TIMESTAMPTZ(3),
  "finished_at" TIMESTAMPTZ(3),
  "report" JSONB,
  "fence" BIGINT NOT NULL DEFAULT 0,
  "attempts" INTEGER NOT NULL DEFAULT 0,
  "lease_until" TIMESTAMPTZ(3),
  "next_attempt_at" TIMESTAMPTZ(3) NOT NULL,
  "swept_at" TIMESTAMPTZ(3),
  CONSTRAINT "reconciliations_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "reconciliations_status_check" CHECK ("status" IN ('queued', 'running', 'done', 'failed')),
  CONSTRAINT "reconciliations_finished_check" CHECK (("status" IN ('done', 'failed')) = ("finished_at" IS NOT NULL))
);
-- What the sweeper looks for.
CREATE INDEX "reconciliations_due" ON "reconciliations"("next_attempt_at") WHERE "status" IN ('queued', 'running');

-- The one account at Stripe that this database is the record of: one row, written at the first start.
CREATE TABLE "stripe_account" (
  "id" SMALLINT NOT NULL DEFAULT 1,
  "instance" TEXT NOT NULL,
  "mode" TEXT NOT NULL,
  "stripe_account_id" TEXT,
  "first_seen_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "stripe_account_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "stripe_account_id_check" CHECK ("id" = 1),
  CONSTRAINT "stripe_account_mode_check" CHECK ("mode" IN ('test', 'live'))
);

-- The cancellation of an intent that an earlier generation of a create left behind is an operation of its own.
ALTER TABLE "payment_operations"
  DROP CONSTRAINT "payment_operations_kind_check",
  ADD CONSTRAINT "payment_operations_kind_check" CHECK ("kind" IN ('customer', 'create', 'confirm', 'capture', 'cancel', 'refund', 'cancel_orphan')),
  DROP CONSTRAINT "payment_operations_ordered_by_check",
  ADD CONSTRAINT "payment_operations_ordered_by_check" CHECK ("ordered_by" IN ('create', 'pay', 'capture', 'cancel', 'expiry', 'refund', 'reconciliation'));
