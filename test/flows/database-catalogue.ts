/**
 * What PostgreSQL itself guards, as its catalogue writes it, table by table. Prisma's schema knows neither CHECKs nor partial
 * indexes, so nothing else would notice if one went missing. A migration that changes one changes this page with it.
 */
export const CONSTRAINTS: readonly string[] = [
  'api_keys_pkey PRIMARY KEY (id)',
  "api_keys_audience_check CHECK ((audience = ANY (ARRAY['publishable'::text, 'secret'::text])))",
  'api_keys_hash_check CHECK ((length(hash) = 32))',
  "api_keys_mode_check CHECK ((mode = ANY (ARRAY['test'::text, 'live'::text])))",
  "api_keys_restricted_check CHECK (((NOT restricted) OR (audience = 'secret'::text)))",

  'breakers_pkey PRIMARY KEY (name)',
  "breakers_cause_check CHECK ((cause = ANY (ARRAY['outage'::text, 'credentials'::text])))",
  'breakers_count_check CHECK (((failures >= 0) AND (trips >= 0)))',
  "breakers_open_check CHECK (((state = 'open'::text) = ((cause IS NOT NULL) AND (opened_at IS NOT NULL) AND (open_until IS NOT NULL))))",
  "breakers_state_check CHECK ((state = ANY (ARRAY['closed'::text, 'open'::text])))",

  'audit_trail_pkey PRIMARY KEY (id)',
  "audit_trail_mode_check CHECK ((mode = ANY (ARRAY['test'::text, 'live'::text])))",

  'discrepancies_pkey PRIMARY KEY (id)',

  'idempotency_keys_pkey PRIMARY KEY (account_id, mode, audience, key)',
  "idempotency_keys_audience_check CHECK ((audience = ANY (ARRAY['publishable'::text, 'secret'::text])))",
  'idempotency_keys_key_check CHECK (((length(key) >= 1) AND (length(key) <= 255)))',
  "idempotency_keys_mode_check CHECK ((mode = ANY (ARRAY['test'::text, 'live'::text])))",
  'idempotency_keys_status_check CHECK (((status >= 200) AND (status <= 499)))',

  'order_events_pkey PRIMARY KEY ("position")',
  'order_events_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id) ON UPDATE CASCADE ON DELETE CASCADE',

  'order_items_pkey PRIMARY KEY (order_id, "position")',
  'order_items_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id) ON UPDATE CASCADE ON DELETE CASCADE',
  'order_items_quantity_check CHECK (((quantity >= 1) AND (quantity <= 10000)))',
  'order_items_unit_amount_check CHECK ((unit_amount >= 0))',

  'orders_pkey PRIMARY KEY (id)',
  'orders_amount_captured_check CHECK (((amount_captured >= 0) AND (amount_captured <= amount)))',
  'orders_amount_check CHECK ((amount > 0))',
  'orders_amount_refunded_check CHECK (((amount_refunded >= 0) AND (amount_refund_pending >= 0)))',
  "orders_capture_method_check CHECK ((capture_method = ANY (ARRAY['automatic'::text, 'manual'::text])))",
  "orders_checkout_check CHECK ((checkout = ANY (ARRAY['elements'::text, 'hosted'::text])))",
  "orders_currency_check CHECK ((currency ~ '^[a-z]{3}$'::text))",
  "orders_mode_check CHECK ((mode = ANY (ARRAY['test'::text, 'live'::text])))",
  "orders_paid_check CHECK (((status <> ALL (ARRAY['paid'::text, 'partially_refunded'::text, 'refunded'::text])) OR (amount_captured > 0)))",
  "orders_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'processing'::text, 'requires_payment'::text, 'requires_action'::text, 'authorized'::text, 'paid'::text, 'partially_refunded'::text, 'refunded'::text, 'canceled'::text, 'expired'::text, 'failed'::text])))",

  'outbox_pkey PRIMARY KEY (id)',

  'payment_operations_pkey PRIMARY KEY (id)',
  'payment_operations_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id) ON UPDATE CASCADE ON DELETE CASCADE',
  'payment_operations_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payments(id) ON UPDATE CASCADE ON DELETE CASCADE',
  'payment_operations_refund_id_fkey FOREIGN KEY (refund_id) REFERENCES refunds(id) ON UPDATE CASCADE ON DELETE CASCADE',
  "payment_operations_finished_check CHECK (((status = ANY (ARRAY['done'::text, 'declined'::text, 'rejected'::text, 'withdrawn'::text])) = (finished_at IS NOT NULL)))",
  'payment_operations_generation_check CHECK ((generation >= 1))',
  "payment_operations_kind_check CHECK ((kind = ANY (ARRAY['customer'::text, 'create'::text, 'confirm'::text, 'capture'::text, 'cancel'::text, 'refund'::text, 'cancel_orphan'::text])))",
  "payment_operations_ordered_by_check CHECK ((ordered_by = ANY (ARRAY['create'::text, 'pay'::text, 'capture'::text, 'cancel'::text, 'expiry'::text, 'refund'::text, 'reconciliation'::text])))",
  "payment_operations_refund_check CHECK (((kind = 'refund'::text) = (refund_id IS NOT NULL)))",
  "payment_operations_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'in_flight'::text, 'unknown'::text, 'done'::text, 'declined'::text, 'rejected'::text, 'parked'::text, 'withdrawn'::text])))",

  'payments_pkey PRIMARY KEY (id)',
  'payments_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id) ON UPDATE CASCADE ON DELETE CASCADE',
  "payments_intent_check CHECK (((status = ANY (ARRAY['pending'::text, 'canceled'::text])) OR (stripe_payment_intent_id IS NOT NULL) OR ((status = 'requires_payment_method'::text) AND (checkout_session_id IS NOT NULL))))",
  "payments_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'requires_payment_method'::text, 'requires_confirmation'::text, 'requires_action'::text, 'processing'::text, 'requires_capture'::text, 'succeeded'::text, 'canceled'::text])))",

  'prices_pkey PRIMARY KEY (account_id, mode, id)',
  "prices_currency_check CHECK ((currency ~ '^[a-z]{3}$'::text))",
  "prices_mode_check CHECK ((mode = ANY (ARRAY['test'::text, 'live'::text])))",
  'prices_unit_amount_check CHECK ((unit_amount >= 0))',

  'rate_limits_pkey PRIMARY KEY (name)',
  'rate_limits_share_check CHECK (((share > (0)::double precision) AND (share <= (1)::double precision)))',

  'reconciliations_pkey PRIMARY KEY (id)',
  "reconciliations_finished_check CHECK (((status = ANY (ARRAY['done'::text, 'failed'::text])) = (finished_at IS NOT NULL)))",
  "reconciliations_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'done'::text, 'failed'::text])))",

  'rate_limit_counts_pkey PRIMARY KEY (bucket, minute)',
  'rate_limit_counts_hits_check CHECK ((hits > 0))',

  'refunds_pkey PRIMARY KEY (id)',
  'refunds_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id) ON UPDATE CASCADE ON DELETE CASCADE',
  'refunds_amount_check CHECK ((amount > 0))',
  "refunds_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'succeeded'::text, 'failed'::text, 'canceled'::text])))",

  'scheduled_tasks_pkey PRIMARY KEY (name)',

  'stripe_account_pkey PRIMARY KEY (id)',
  'stripe_account_id_check CHECK ((id = 1))',
  "stripe_account_mode_check CHECK ((mode = ANY (ARRAY['test'::text, 'live'::text])))",

  'webhook_events_pkey PRIMARY KEY (id)',
  "webhook_events_status_check CHECK ((status = ANY (ARRAY['received'::text, 'held'::text, 'applied'::text, 'ignored'::text, 'parked'::text])))",
];

/** Every index but those of primary keys, which stand above. */
export const INDEXES: readonly string[] = [
  'api_keys_account_id_idx ON api_keys USING btree (account_id)',

  'audit_trail_account_id_mode_id_idx ON audit_trail USING btree (account_id, mode, id DESC)',

  'discrepancies_kind_stripe_object_id_key UNIQUE ON discrepancies USING btree (kind, stripe_object_id)',

  'idempotency_keys_forgettable ON idempotency_keys USING btree (created_at) WHERE (body IS NOT NULL)',

  'order_events_id_key UNIQUE ON order_events USING btree (id)',
  'order_events_order_id_position_idx ON order_events USING btree (order_id, "position")',

  'orders_account_id_mode_id_idx ON orders USING btree (account_id, mode, id DESC)',
  'orders_account_id_mode_reference_id_idx ON orders USING btree (account_id, mode, reference, id DESC)',
  'orders_account_id_mode_status_id_idx ON orders USING btree (account_id, mode, status, id DESC)',
  "orders_expiring ON orders USING btree (expires_at) WHERE (status = ANY (ARRAY['requires_payment'::text, 'requires_action'::text]))",
  "orders_open ON orders USING btree (status) WHERE (status = ANY (ARRAY['pending'::text, 'processing'::text, 'requires_payment'::text, 'requires_action'::text, 'authorized'::text]))",

  'payment_operations_delayed ON payment_operations USING btree (delayed_by) WHERE (delayed_by IS NOT NULL)',
  "payment_operations_due ON payment_operations USING btree (next_attempt_at) WHERE (status = ANY (ARRAY['queued'::text, 'in_flight'::text, 'unknown'::text]))",
  "payment_operations_one_open_per_kind UNIQUE ON payment_operations USING btree (payment_id, kind) WHERE ((kind <> 'refund'::text) AND (finished_at IS NULL))",
  "payment_operations_parked ON payment_operations USING btree (id DESC) WHERE (status = 'parked'::text)",
  'payment_operations_payment_id_sequence_key UNIQUE ON payment_operations USING btree (payment_id, sequence)',
  'payment_operations_stripe_idempotency_key_key UNIQUE ON payment_operations USING btree (stripe_idempotency_key)',

  'payments_checkout_session_id_key UNIQUE ON payments USING btree (checkout_session_id)',
  'payments_order_id_key UNIQUE ON payments USING btree (order_id)',
  'payments_stripe_payment_intent_id_key UNIQUE ON payments USING btree (stripe_payment_intent_id)',

  "reconciliations_due ON reconciliations USING btree (next_attempt_at) WHERE (status = ANY (ARRAY['queued'::text, 'running'::text]))",

  'rate_limit_counts_minute_idx ON rate_limit_counts USING btree (minute)',

  'refunds_order_id_idx ON refunds USING btree (order_id)',
  'refunds_stripe_refund_id_key UNIQUE ON refunds USING btree (stripe_refund_id)',

  'webhook_events_delayed ON webhook_events USING btree (delayed_by) WHERE (delayed_by IS NOT NULL)',
  "webhook_events_due ON webhook_events USING btree (next_attempt_at) WHERE (status = ANY (ARRAY['received'::text, 'held'::text]))",
  "webhook_events_forgettable ON webhook_events USING btree (processed_at) WHERE ((status = ANY (ARRAY['applied'::text, 'ignored'::text])) AND (payload IS NOT NULL))",
  "webhook_events_parked ON webhook_events USING btree (received_at) WHERE (status = 'parked'::text)",
  'webhook_events_received_at_id_idx ON webhook_events USING btree (received_at DESC, id DESC)',
  'webhook_events_payment_intent_id_idx ON webhook_events USING btree (payment_intent_id)',
];
