import { type Claim, type StoredResponse } from '#libs/idempotency';
import {
  confirmIntentParams,
  createIntentParams,
  createSessionParams,
  customerParams,
  HOSTED_LIFE_SECONDS_MAX,
  type NewOperation,
  stripeIdempotencyKey,
} from '#libs/payments';
import { effect, publicId } from '#libs/primitives';
import { type Order, type Orderer, type OrderItem, type OrderRequest } from './order.js';
import { viewOrder } from './order-view.js';
import { type Orders } from './orders.js';
import { insertOrders, type NewOrder } from './orders.store.js';
import { orderedByRequest } from './ordered-by-request.js';
import { priceItems } from './price-items.js';
import { findPrices, type Price } from './prices.store.js';

/** A client secret is a bearer secret for one order: 192 bits. */
const CLIENT_SECRET_BYTES = 24;

/**
 * Creates an order under the idempotency key of `claim`: key with stored answer, order, items, payment, the operations
 * Stripe will be asked for, timeline and outbox, in one statement or not at all. Stripe is not asked here.
 * Returns `taken` when the key was not free. Throws DomainError when the order cannot be priced.
 */
export async function createOrder(
  orders: Orders,
  orderer: Orderer,
  request: OrderRequest,
  claim: Claim,
): Promise<StoredResponse | 'taken'> {
  const { database, bell } = orders;
  const priceIds = request.items.flatMap((item) => ('price' in item ? [item.price] : []));
  const draft = draftOrder(orders, orderer, request, await findPrices(database.autocommit, orderer, priceIds));
  const response = responseOf(orders, draft.order);
  const accepted = await effect('api.order.commit', () => insertOrders(database.autocommit, [{ ...draft, key: claim.rowFor(response) }]));
  if (!accepted.has(0)) return 'taken';
  bell.ring();
  return response;
}

/** Everything a new order consists of, decided without touching anything. */
function draftOrder(orders: Orders, orderer: Orderer, request: OrderRequest, catalogue: ReadonlyMap<string, Price>): Omit<NewOrder, 'key'> {
  const { clock, entropy } = orders;
  const { items, amount } = priceItems(request.items, request.currency, orderer.audience, catalogue);
  const id = entropy.uuid();
  const createdAt = clock.now();
  const lifeSeconds =
    request.checkout === 'hosted' ? Math.min(orders.expiresAfterSeconds, HOSTED_LIFE_SECONDS_MAX) : orders.expiresAfterSeconds;
  const operations = operationsOf(orders, request, { orderId: id, items, amount, createdAt, lifeSeconds });
  const payment: Order['payment'] = {
    id: entropy.uuid(),
    status: 'pending',
    stripePaymentIntentId: null,
    stripeClientSecret: null,
    url: null,
    paymentMethod: request.paymentMethod,
    nextAction: null,
    lastError: null,
    operations,
  };
  const money = { amount, currency: request.currency, amountCaptured: 0, amountRefunded: 0, amountRefundPending: 0 };
  const order: Order = {
    id,
    version: 1,
    status: 'pending',
    ...money,
    items,
    customerEmail: request.customer?.email ?? null,
    customerName: request.customer?.name ?? null,
    stripeCustomerId: request.customer?.stripeCustomerId ?? null,
    reference: request.reference,
    metadata: request.metadata,
    clientSecret: `${publicId('ord', id)}_secret_${entropy.secret(CLIENT_SECRET_BYTES)}`,
    captureMethod: request.captureMethod,
    returnUrl: request.returnUrl,
    checkout: request.checkout,
    saveCard: request.saveCard,
    offSession: request.offSession,
    payment,
    dispute: null,
    createdAt,
    updatedAt: createdAt,
    expiresAt: new Date(createdAt.getTime() + lifeSeconds * 1_000),
  };
  const created = {
    id: entropy.uuid(),
    type: 'order.created',
    cause: 'command:create',
    data: { to: order.status, amount, currency: order.currency },
  };
  const outbox = operations
    .slice(0, 1)
    .map((operation) => ({ id: entropy.uuid(), kind: 'payment-operation' as const, payload: { operationId: operation.id } }));
  return { orderer, order, operations, events: [created], outbox };
}

/** What of a new order was decided here. */
interface Draft {
  readonly orderId: string;
  readonly items: readonly OrderItem[];
  readonly amount: number;
  readonly createdAt: Date;
  readonly lifeSeconds: number;
}

/**
 * The intent is made unconfirmed and, where we were given a payment method, confirmed by an operation of its own: so that a
 * read settles any doubt. The customer who is to keep the card comes before both, unless there is one from before.
 * A hosted order's intent is made by its session.
 */
function operationsOf(
  { entropy, instance }: Orders,
  request: OrderRequest,
  { orderId, items, amount, createdAt, lifeSeconds }: Draft,
): readonly NewOperation[] {
  const { currency, captureMethod, returnUrl, metadata, paymentMethod, saveCard, offSession, customer } = request;
  const operations: NewOperation[] = [];
  const add = (kind: 'customer' | 'create' | 'confirm', paramsOf: (id: string) => object): void => {
    const id = entropy.uuid();
    operations.push({
      id,
      kind,
      orderedBy: 'create',
      sequence: operations.length + 1,
      status: 'queued',
      refundId: null,
      stripeIdempotencyKey: stripeIdempotencyKey(id, 1),
      params: { ...paramsOf(id) },
      ...orderedByRequest(),
    });
  };
  const newCustomer = saveCard && customer?.stripeCustomerId == null ? customer : null;
  if (newCustomer !== null && newCustomer.email !== null) {
    const { email, name } = newCustomer;
    add('customer', (operationId) => customerParams({ instance, orderId, operationId, email, name }));
  }
  if (request.checkout === 'hosted') {
    if (returnUrl === null) throw new Error('bug: a hosted order without a return URL');
    const customerEmail = customer?.email ?? null;
    add('create', (operationId) =>
      createSessionParams({
        instance,
        orderId,
        operationId,
        items,
        currency,
        captureMethod,
        returnUrl,
        saveCard,
        metadata,
        customerEmail,
        createdAt,
        lifeSeconds,
      }),
    );
    return operations;
  }
  add('create', (operationId) =>
    createIntentParams({ instance, orderId, operationId, amount, currency, captureMethod, returnUrl, saveCard, metadata }),
  );
  if (paymentMethod !== null) add('confirm', () => confirmIntentParams(paymentMethod, returnUrl, offSession));
  return operations;
}

function responseOf({ stripePublishableKey }: Orders, order: Order): StoredResponse {
  const view = viewOrder(order, { stripePublishableKey, withSecrets: true });
  return { status: 201, location: `/v1/orders/${view.id}`, body: JSON.stringify(view) };
}
