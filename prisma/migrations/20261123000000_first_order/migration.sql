-- Everything one order needs on its way from checkout to paid. Money and status columns are guarded by CHECKs,
-- "once" by unique constraints; test/flows/database.spec.ts pins both.

CREATE TABLE "orders" (
  "id" UUID NOT NULL,
  "account_id" UUID NOT NULL,
  "mode" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "version" INTEGER NOT NULL,
  "amount" BIGINT NOT NULL,
  "currency" TEXT NOT NULL,
  "amount_captured" BIGINT NOT NULL DEFAULT 0,
  "amount_refunded" BIGINT NOT NULL DEFAULT 0,
  "amount_refund_pending" BIGINT NOT NULL DEFAULT 0,
  "customer_email" TEXT,
  "customer_name" TEXT,
  "stripe_customer_id" TEXT,
  "reference" TEXT,
  "metadata" JSONB NOT NULL,
  "client_secret" TEXT NOT NULL,
  "capture_method" TEXT NOT NULL,
  "checkout" TEXT NOT NULL,
  "return_url" TEXT,
  "save_card" BOOLEAN NOT NULL DEFAULT false,
  "off_session" BOOLEAN NOT NULL DEFAULT false,
  "stripe_dispute_id" TEXT,
  "dispute_status" TEXT,
  "dispute_amount" BIGINT,
  "dispute_reason" TEXT,
  "dispute_opened_at" TIMESTAMPTZ(3),
  "created_at" TIMESTAMPTZ(3) NOT NULL,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  "expires_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "orders_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "orders_mode_check" CHECK ("mode" IN ('test', 'live')),
  CONSTRAINT "orders_status_check" CHECK ("status" IN ('pending', 'processing', 'requires_payment', 'requires_action', 'authorized',
    'paid', 'partially_refunded', 'refunded', 'canceled', 'expired', 'failed')),
  CONSTRAINT "orders_amount_check" CHECK ("amount" > 0),
  CONSTRAINT "orders_currency_check" CHECK ("currency" ~ '^[a-z]{3}$'),
  -- R5: never more captured than was asked for.
  CONSTRAINT "orders_amount_captured_check" CHECK ("amount_captured" BETWEEN 0 AND "amount"),
  CONSTRAINT "orders_amount_refunded_check" CHECK ("amount_refunded" >= 0 AND "amount_refund_pending" >= 0),
  CONSTRAINT "orders_paid_check" CHECK ("status" NOT IN ('paid', 'partially_refunded', 'refunded') OR "amount_captured" > 0),
  CONSTRAINT "orders_capture_method_check" CHECK ("capture_method" IN ('automatic', 'manual')),
  CONSTRAINT "orders_checkout_check" CHECK ("checkout" IN ('elements', 'hosted'))
);
-- What expires when nobody pays.
CREATE INDEX "orders_expiring" ON "orders"("expires_at") WHERE "status" IN ('requires_payment', 'requires_action');
CREATE INDEX "orders_account_id_mode_id_idx" ON "orders"("account_id", "mode", "id" DESC);
CREATE INDEX "orders_account_id_mode_status_id_idx" ON "orders"("account_id", "mode", "status", "id" DESC);
CREATE INDEX "orders_account_id_mode_reference_id_idx" ON "orders"("account_id", "mode", "reference", "id" DESC);

CREATE TABLE "order_items" (
  "order_id" UUID NOT NULL,
  "position" SMALLINT NOT NULL,
  "price_id" TEXT,
  "name" TEXT NOT NULL,
  "unit_amount" BIGINT NOT NULL,
  "quantity" INTEGER NOT NULL,
  CONSTRAINT "order_items_pkey" PRIMARY KEY ("order_id", "position"),
  CONSTRAINT "order_items_unit_amount_check" CHECK ("unit_amount" >= 0),
  CONSTRAINT "order_items_quantity_check" CHECK ("quantity" BETWEEN 1 AND 10000),
  CONSTRAINT "order_items_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "payments" (
  "id" UUID NOT NULL,
  "order_id" UUID NOT NULL,
  "status" TEXT NOT NULL,
  "payment_method" TEXT,
  "stripe_payment_intent_id" TEXT,
  "stripe_client_secret" TEXT,
  "stripe_charge_id" TEXT,
  "checkout_session_id" TEXT,
  "url" TEXT,
  "next_action" JSONB,
  "last_error" JSONB,
  "cancellation_reason" TEXT,
  "created_at" TIMESTAMPTZ(3) NOT NULL,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "payments_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "payments_status_check" CHECK ("status" IN ('pending', 'requires_payment_method', 'requires_confirmation', 'requires_action',
    'processing', 'requires_capture', 'succeeded', 'canceled')),
  -- Without an intent a payment is pending, or canceled because its create was withdrawn before anyone claimed it, or waits for
  -- its buyer on the page of a Checkout Session, which makes the intent when they first try.
  CONSTRAINT "payments_intent_check" CHECK ("status" IN ('pending', 'canceled') OR "stripe_payment_intent_id" IS NOT NULL
    OR ("status" = 'requires_payment_method' AND "checkout_session_id" IS NOT NULL)),
  CONSTRAINT "payments_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "payments_order_id_key" ON "payments"("order_id");
CREATE UNIQUE INDEX "payments_stripe_payment_intent_id_key" ON "payments"("stripe_payment_intent_id");
CREATE UNIQUE INDEX "payments_checkout_session_id_key" ON "payments"("checkout_session_id");

CREATE TABLE "refunds" (
  "id" UUID NOT NULL,
  "order_id" UUID NOT NULL,
  "amount" BIGINT NOT NULL,
  "currency" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "reason" TEXT,
  "failure_reason" TEXT,
  "stripe_refund_id" TEXT,
  "created_at" TIMESTAMPTZ(3) NOT NULL,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "refunds_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "refunds_amount_check" CHECK ("amount" > 0),
  CONSTRAINT "refunds_status_check" CHECK ("status" IN ('pending', 'succeeded', 'failed', 'canceled')),
  CONSTRAINT "refunds_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "refunds_stripe_refund_id_key" ON "refunds"("stripe_refund_id");
CREATE INDEX "refunds_order_id_idx" ON "refunds"("order_id");

CREATE TABLE "payment_operations" (
  "id" UUID NOT NULL,
  "order_id" UUID NOT NULL,
  "payment_id" UUID NOT NULL,
  "refund_id" UUID,
  "kind" TEXT NOT NULL,
  "ordered_by" TEXT NOT NULL,
  "sequence" INTEGER NOT NULL,
  "status" TEXT NOT NULL,
  "in_doubt" BOOLEAN NOT NULL DEFAULT false,
  "stripe_idempotency_key" TEXT NOT NULL,
  "generation" INTEGER NOT NULL DEFAULT 1,
  "params" JSONB NOT NULL,
  "fence" BIGINT NOT NULL DEFAULT 0,
  "lease_until" TIMESTAMPTZ(3),
  "attempts" INTEGER NOT NULL DEFAULT 0,
  "first_sent_at" TIMESTAMPTZ(3),
  "next_attempt_at" TIMESTAMPTZ(3) NOT NULL,
  "swept_at" TIMESTAMPTZ(3),
  "absent_since" TIMESTAMPTZ(3),
  "last_error" JSONB,
  "created_at" TIMESTAMPTZ(3) NOT NULL,
  "finished_at" TIMESTAMPTZ(3),
  CONSTRAINT "payment_operations_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "payment_operations_kind_check" CHECK ("kind" IN ('customer', 'create', 'confirm', 'capture', 'cancel', 'refund')),
  CONSTRAINT "payment_operations_ordered_by_check" CHECK ("ordered_by" IN ('create', 'pay', 'capture', 'cancel', 'expiry', 'refund')),
  CONSTRAINT "payment_operations_status_check" CHECK ("status" IN ('queued', 'in_flight', 'unknown', 'done', 'declined', 'rejected',
    'parked', 'withdrawn')),
  CONSTRAINT "payment_operations_generation_check" CHECK ("generation" >= 1),
  CONSTRAINT "payment_operations_refund_check" CHECK (("kind" = 'refund') = ("refund_id" IS NOT NULL)),
  CONSTRAINT "payment_operations_finished_check" CHECK (("status" IN ('done', 'declined', 'rejected', 'withdrawn')) = ("finished_at" IS NOT NULL)),
  CONSTRAINT "payment_operations_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT "payment_operations_payment_id_fkey" FOREIGN KEY ("payment_id") REFERENCES "payments"("id") ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT "payment_operations_refund_id_fkey" FOREIGN KEY ("refund_id") REFERENCES "refunds"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "payment_operations_stripe_idempotency_key_key" ON "payment_operations"("stripe_idempotency_key");
CREATE UNIQUE INDEX "payment_operations_payment_id_sequence_key" ON "payment_operations"("payment_id", "sequence");
-- No two confirms (captures, cancels) of one payment can ever be open at once, whatever the code believes.
CREATE UNIQUE INDEX "payment_operations_one_open_per_kind" ON "payment_operations"("payment_id", "kind")
  WHERE "kind" <> 'refund' AND "finished_at" IS NULL;
-- What the sweeper looks for.
CREATE INDEX "payment_operations_due" ON "payment_operations"("next_attempt_at") WHERE "status" IN ('queued', 'in_flight', 'unknown');

CREATE TABLE "order_events" (
  "position" BIGSERIAL NOT NULL,
  "id" UUID NOT NULL,
  "order_id" UUID NOT NULL,
  "type" TEXT NOT NULL,
  "cause" TEXT NOT NULL,
  "data" JSONB NOT NULL,
  "at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "order_events_pkey" PRIMARY KEY ("position"),
  CONSTRAINT "order_events_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "order_events_id_key" ON "order_events"("id");
CREATE INDEX "order_events_order_id_position_idx" ON "order_events"("order_id", "position");

CREATE TABLE "idempotency_keys" (
  "account_id" UUID NOT NULL,
  "mode" TEXT NOT NULL,
  "audience" TEXT NOT NULL,
  "key" TEXT NOT NULL,
  "fingerprint" TEXT NOT NULL,
  "location" TEXT,
  "status" SMALLINT NOT NULL,
  "body" TEXT,
  "created_at" TIMESTAMPTZ(3) NOT NULL,
  -- R2: one effect per scope and key, for ever.
  CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("account_id", "mode", "audience", "key"),
  CONSTRAINT "idempotency_keys_mode_check" CHECK ("mode" IN ('test', 'live')),
  CONSTRAINT "idempotency_keys_audience_check" CHECK ("audience" IN ('publishable', 'secret')),
  CONSTRAINT "idempotency_keys_key_check" CHECK (length("key") BETWEEN 1 AND 255),
  -- A server error is never an answer to repeat.
  CONSTRAINT "idempotency_keys_status_check" CHECK ("status" BETWEEN 200 AND 499)
);
CREATE INDEX "idempotency_keys_created_at_idx" ON "idempotency_keys"("created_at");

CREATE TABLE "outbox" (
  "id" UUID NOT NULL,
  "kind" TEXT NOT NULL,
  "payload" JSONB NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "claimed_until" TIMESTAMPTZ(3),
  CONSTRAINT "outbox_pkey" PRIMARY KEY ("id")
);
-- Rows live for milliseconds: vacuum long before the default 20 % of a table that is empty at rest.
ALTER TABLE "outbox" SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE "webhook_events" (
  "id" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "livemode" BOOLEAN NOT NULL,
  "api_version" TEXT,
  "object_id" TEXT,
  "payment_intent_id" TEXT,
  "payload" JSONB NOT NULL,
  "attempts" INTEGER NOT NULL DEFAULT 0,
  "note" TEXT,
  "received_at" TIMESTAMPTZ(3) NOT NULL,
  "next_attempt_at" TIMESTAMPTZ(3) NOT NULL,
  "swept_at" TIMESTAMPTZ(3),
  "processed_at" TIMESTAMPTZ(3),
  CONSTRAINT "webhook_events_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "webhook_events_status_check" CHECK ("status" IN ('received', 'held', 'applied', 'ignored', 'parked'))
);
CREATE INDEX "webhook_events_payment_intent_id_idx" ON "webhook_events"("payment_intent_id");
CREATE INDEX "webhook_events_due" ON "webhook_events"("next_attempt_at") WHERE "status" IN ('received', 'held');

CREATE TABLE "discrepancies" (
  "id" UUID NOT NULL,
  "kind" TEXT NOT NULL,
  "stripe_object_id" TEXT NOT NULL,
  "order_id" UUID,
  "ours" JSONB NOT NULL,
  "stripes" JSONB NOT NULL,
  "found_at" TIMESTAMPTZ(3) NOT NULL,
  "resolved_at" TIMESTAMPTZ(3),
  CONSTRAINT "discrepancies_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "discrepancies_kind_stripe_object_id_key" ON "discrepancies"("kind", "stripe_object_id");

CREATE TABLE "prices" (
  "account_id" UUID NOT NULL,
  "mode" TEXT NOT NULL,
  "id" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "currency" TEXT NOT NULL,
  "unit_amount" BIGINT NOT NULL,
  "active" BOOLEAN NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL,
  "updated_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "prices_pkey" PRIMARY KEY ("account_id", "mode", "id"),
  CONSTRAINT "prices_mode_check" CHECK ("mode" IN ('test', 'live')),
  CONSTRAINT "prices_currency_check" CHECK ("currency" ~ '^[a-z]{3}$'),
  CONSTRAINT "prices_unit_amount_check" CHECK ("unit_amount" >= 0)
);

CREATE TABLE "api_keys" (
  "id" TEXT NOT NULL,
  "account_id" UUID NOT NULL,
  "mode" TEXT NOT NULL,
  "audience" TEXT NOT NULL,
  "hash" BYTEA NOT NULL,
  "name" TEXT NOT NULL,
  "scopes" TEXT[],
  "origins" TEXT[],
  "created_at" TIMESTAMPTZ(3) NOT NULL,
  "expires_at" TIMESTAMPTZ(3),
  "revoked_at" TIMESTAMPTZ(3),
  "last_used_at" TIMESTAMPTZ(3),
  CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "api_keys_mode_check" CHECK ("mode" IN ('test', 'live')),
  CONSTRAINT "api_keys_audience_check" CHECK ("audience" IN ('publishable', 'secret')),
  CONSTRAINT "api_keys_hash_check" CHECK (length("hash") = 32)
);
CREATE INDEX "api_keys_account_id_idx" ON "api_keys"("account_id");
