import { createHash } from 'node:crypto';
import type { IdempotencyRecord } from '../api/idempotency-record.js';
import type { BalanceTransaction } from '../balance/balance-transaction.js';
import type { Charge } from '../charges/charge.js';
import type { CheckoutSession, CheckoutSessionSecret } from '../checkout/checkout-session.js';
import type { Customer, DeletedCustomer } from '../customers/customer.js';
import type { Dispute } from '../disputes/dispute.js';
import type { StripeEvent } from '../events/event.js';
import type { PaymentIntent, PaymentIntentSecret } from '../payment-intents/payment-intent.js';
import type { PaymentMethod, PaymentMethodSecret } from '../payment-methods/payment-method.js';
import type { Refund } from '../refunds/refund.js';
import type { SetupIntent, SetupIntentSecret } from '../setup-intents/setup-intent.js';
import type { Delivery } from '../webhooks/delivery.js';
import type { WebhookEndpoint, WebhookEndpointSecret } from '../webhooks/webhook-endpoint.js';
import { Collection, type Stored } from './collection.js';

/** Everything an account holds. The secrets are the halves of objects that the API does not show. */
export interface Holdings {
  balance_transactions: BalanceTransaction;
  charges: Charge;
  checkout_session_secrets: CheckoutSessionSecret;
  checkout_sessions: CheckoutSession;
  customers: Customer;
  deleted_customers: DeletedCustomer & Stored;
  deliveries: Delivery;
  disputes: Dispute;
  events: StripeEvent;
  idempotency_records: IdempotencyRecord;
  payment_intent_secrets: PaymentIntentSecret;
  payment_intents: PaymentIntent;
  payment_method_secrets: PaymentMethodSecret;
  payment_methods: PaymentMethod;
  refunds: Refund;
  setup_intent_secrets: SetupIntentSecret;
  setup_intents: SetupIntent;
  webhook_endpoint_secrets: WebhookEndpointSecret;
  webhook_endpoints: WebhookEndpoint;
}

export type HoldingName = keyof Holdings;

export type AccountChange =
  | { account: string; name: string; holding: HoldingName; put: Stored }
  | { account: string; name: string; holding: HoldingName; removed: string };

/** One Stripe account: what its secret and its publishable key both reach, and no other key does. */
export class Account {
  readonly id: string;
  /** What follows `sk_test_` and `pk_test_`. */
  readonly name: string;
  readonly #holdings = newHoldings();
  readonly #changed: (change: AccountChange) => void;

  constructor(name: string, changed: (change: AccountChange) => void) {
    this.id = accountIdOf(name);
    this.name = name;
    this.#changed = changed;
  }

  all<N extends HoldingName>(holding: N): Collection<Holdings[N]> {
    return this.#holdings[holding];
  }

  find<N extends HoldingName>(holding: N, id: string): Holdings[N] | undefined {
    return this.all(holding).get(id);
  }

  /** Keeps a new object or a new version of one, and returns it. */
  save<N extends HoldingName>(holding: N, item: Holdings[N]): Holdings[N] {
    this.all(holding).put(item);
    this.#changed({ account: this.id, name: this.name, holding, put: item });
    return item;
  }

  remove(holding: HoldingName, id: string): void {
    this.all(holding).remove(id);
    this.#changed({ account: this.id, name: this.name, holding, removed: id });
  }

  restore(change: AccountChange): void {
    const collection: Collection<Stored> = this.#holdings[change.holding];
    if ('put' in change) collection.put(change.put);
    else collection.remove(change.removed);
  }

  *snapshot(): Generator<AccountChange> {
    for (const holding of Object.keys(this.#holdings) as HoldingName[]) {
      const collection: Collection<Stored> = this.#holdings[holding];
      for (const item of collection.oldestFirst()) yield { account: this.id, name: this.name, holding, put: item };
    }
  }
}

/** An account's id follows from its key, so it is the same in every run. */
export function accountIdOf(name: string): string {
  return `acct_1${createHash('sha256').update(name).digest('hex').slice(0, 15)}`;
}

function newHoldings(): { [N in HoldingName]: Collection<Holdings[N]> } {
  return {
    balance_transactions: new Collection(['source']),
    charges: new Collection(['payment_intent', 'customer']),
    checkout_session_secrets: new Collection(),
    checkout_sessions: new Collection(['payment_intent', 'customer']),
    customers: new Collection(['email']),
    deleted_customers: new Collection(),
    deliveries: new Collection(),
    disputes: new Collection(['charge', 'payment_intent']),
    events: new Collection(),
    idempotency_records: new Collection(),
    payment_intent_secrets: new Collection(),
    payment_intents: new Collection(['customer']),
    payment_method_secrets: new Collection(),
    payment_methods: new Collection(['customer']),
    refunds: new Collection(['charge', 'payment_intent']),
    setup_intent_secrets: new Collection(),
    setup_intents: new Collection(),
    webhook_endpoint_secrets: new Collection(),
    webhook_endpoints: new Collection(),
  };
}
