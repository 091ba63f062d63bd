-- What operators see and do: an audit trail, another try of what is parked, and the indexes by which lists, metrics and
-- retention find their few rows among many. The partial ones cost rows in other states nothing.

CREATE TABLE "audit_trail" (
  "id" UUID NOT NULL,
  "account_id" UUID NOT NULL,
  "mode" TEXT NOT NULL,
  "key_id" TEXT NOT NULL,
  "action" TEXT NOT NULL,
  "target" TEXT,
  "details" JSONB NOT NULL,
  "request_id" TEXT NOT NULL,
  "at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "audit_trail_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "audit_trail_mode_check" CHECK ("mode" IN ('test', 'live'))
);
CREATE INDEX "audit_trail_account_id_mode_id_idx" ON "audit_trail"("account_id", "mode", "id" DESC);

-- An operation that a person has asked to be tried again is read about before anything is sent.
ALTER TABLE "payment_operations" ADD COLUMN "retried_at" TIMESTAMPTZ(3);
-- The request that ordered it: X-Request-Id from the command to the last log line about it.
ALTER TABLE "payment_operations" ADD COLUMN "request_id" TEXT;
CREATE INDEX "payment_operations_parked" ON "payment_operations"("id" DESC) WHERE "status" = 'parked';

-- Null once it is forgotten.
ALTER TABLE "webhook_events" ALTER COLUMN "payload" DROP NOT NULL;
CREATE INDEX "webhook_events_received_at_id_idx" ON "webhook_events"("received_at" DESC, "id" DESC);
CREATE INDEX "webhook_events_parked" ON "webhook_events"("received_at") WHERE "status" = 'parked';
CREATE INDEX "webhook_events_forgettable" ON "webhook_events"("processed_at") WHERE "status" IN ('applied', 'ignored') AND "payload" IS NOT NULL;

-- Only keys that still have an answer to forget; the others stay for ever.
DROP INDEX "idempotency_keys_created_at_idx";
CREATE INDEX "idempotency_keys_forgettable" ON "idempotency_keys"("created_at") WHERE "body" IS NOT NULL;

-- Orders that are not at an end are few, and are counted at every scrape.
CREATE INDEX "orders_open" ON "orders"("status") WHERE "status" IN ('pending', 'processing', 'requires_payment', 'requires_action', 'authorized');
