import { type IdempotencyScope } from '#libs/idempotency';
import {
  type Checkout,
  type NextAction,
  type OperationFacts,
  type OrderStatus,
  type PaymentError,
  type PaymentStatus,
} from '#libs/payments';

/** Whose order it is and by which kind of key it was ordered. */
export type Orderer = IdempotencyScope;

/** One line of a request: from the catalogue, or named with its own amount. */
export type RequestedItem =
  | { readonly price: string; readonly quantity: number }
  | { readonly name: string; readonly unitAmount: number; readonly quantity: number };

/** A new order as the caller asks for it; its shape is checked, its meaning is not. */
export interface OrderRequest {
  readonly currency: string;
  readonly items: readonly RequestedItem[];
  readonly customer: { readonly email: string | null; readonly name: string | null; readonly stripeCustomerId: string | null } | null;
  readonly reference: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly paymentMethod: string | null;
  readonly captureMethod: 'automatic' | 'manual';
  readonly checkout: Checkout;
  /** Never null where the checkout is hosted. */
  readonly returnUrl: string | null;
  /** Keeps the card for later; needs the email of a new customer, or a customer of before. */
  readonly saveCard: boolean;
  /** The buyer is away; needs a customer and a payment method of theirs. */
  readonly offSession: boolean;
}

/** One line of an order, priced. `price` is null for a line that names its own amount. */
export interface OrderItem {
  readonly price: string | null;
  readonly name: string;
  readonly unitAmount: number;
  readonly quantity: number;
}

/** An order with its payment, as it is stored. Ids are database ids. */
export interface Order {
  readonly id: string;
  /** Grows with every change of the order, its payment, operations or refunds. */
  readonly version: number;
  readonly status: OrderStatus;
  readonly amount: number;
  readonly currency: string;
  readonly amountCaptured: number;
  readonly amountRefunded: number;
  readonly amountRefundPending: number;
  readonly items: readonly OrderItem[];
  readonly customerEmail: string | null;
  readonly customerName: string | null;
  readonly stripeCustomerId: string | null;
  readonly reference: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly clientSecret: string;
  readonly captureMethod: 'automatic' | 'manual';
  readonly returnUrl: string | null;
  readonly checkout: Checkout;
  readonly saveCard: boolean;
  readonly offSession: boolean;
  readonly payment: OrderPayment;
  readonly dispute: { readonly status: string; readonly amount: number; readonly reason: string } | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly expiresAt: Date;
}

/** How the order is collected. */
export interface OrderPayment {
  readonly id: string;
  readonly status: PaymentStatus;
  readonly stripePaymentIntentId: string | null;
  readonly stripeClientSecret: string | null;
  readonly url: string | null;
  readonly paymentMethod: string | null;
  readonly nextAction: NextAction | null;
  readonly lastError: PaymentError | null;
  readonly operations: readonly OperationFacts[];
}
