import { ApiProperty } from '@nestjs/swagger';
import { ORDER_STATUSES, PAYMENT_STATUSES } from '#libs/payments';

const nullableText = { type: 'string', nullable: true } as const;

class OrderItemResponse {
  @ApiProperty({ ...nullableText, example: 'tshirt' }) price!: string | null;
  @ApiProperty({ example: 'T-shirt' }) name!: string;
  @ApiProperty({ example: 2000 }) unitAmount!: number;
  @ApiProperty({ example: 2 }) quantity!: number;
}

class OrderCustomerResponse {
  @ApiProperty({ ...nullableText, example: 'ada@example.com' }) email!: string | null;
  @ApiProperty({ ...nullableText, example: 'Ada' }) name!: string | null;
  @ApiProperty(nullableText) stripeCustomerId!: string | null;
}

class NextActionResponse {
  @ApiProperty({ example: 'redirect_to_url' }) type!: string;
  @ApiProperty(nullableText) url!: string | null;
}

class PaymentErrorResponse {
  @ApiProperty({ ...nullableText, example: 'card_declined' }) code!: string | null;
  @ApiProperty({ ...nullableText, example: 'insufficient_funds' }) declineCode!: string | null;
  @ApiProperty({ ...nullableText, example: 'Your card has insufficient funds.' }) message!: string | null;
}

class PaymentResponse {
  @ApiProperty({ example: 'pay_01kax3k6wbf3e9tmgb0jv3c2q4' }) id!: string;
  @ApiProperty({ enum: PAYMENT_STATUSES, description: "Stripe's word, or `pending` before an intent exists" }) status!: string;
  @ApiProperty(nullableText) stripePaymentIntentId!: string | null;
  @ApiProperty(nullableText) stripePublishableKey!: string | null;
  @ApiProperty({ ...nullableText, description: "The intent's client secret, for Stripe.js" }) clientSecret!: string | null;
  @ApiProperty({ ...nullableText, description: 'Where the buyer pays, as long as the page of a hosted checkout takes a payment.' }) url!:
    | string
    | null;
  @ApiProperty({ ...nullableText, example: 'pm_card_visa' }) paymentMethod!: string | null;
  @ApiProperty({ type: 'string', nullable: true, enum: ['create', 'confirm', 'capture', 'cancel', null] }) pendingOperation!: string | null;
  @ApiProperty({ type: NextActionResponse, nullable: true }) nextAction!: NextActionResponse | null;
  @ApiProperty({ type: PaymentErrorResponse, nullable: true }) lastError!: PaymentErrorResponse | null;
}

class DisputeResponse {
  @ApiProperty({ example: 'needs_response' }) status!: string;
  @ApiProperty({ example: 4300 }) amount!: number;
  @ApiProperty({ example: 'fraudulent' }) reason!: string;
}

/** An order as the API answers it. */
export class OrderResponse {
  @ApiProperty({ example: 'ord_01kax3k6wbf3e9tmgb0jv3c2q4' }) id!: string;
  @ApiProperty({ enum: ['order'] }) object!: 'order';
  @ApiProperty({ enum: ORDER_STATUSES, example: 'pending' }) status!: string;
  @ApiProperty({ example: 4300, description: "Integer in Stripe's unit of the currency" }) amount!: number;
  @ApiProperty({ example: 'usd' }) currency!: string;
  @ApiProperty({ example: 0 }) amountCaptured!: number;
  @ApiProperty({ example: 0 }) amountRefunded!: number;
  @ApiProperty({ example: 0 }) amountRefundPending!: number;
  @ApiProperty({ type: [OrderItemResponse] }) items!: OrderItemResponse[];
  @ApiProperty({ type: OrderCustomerResponse, nullable: true }) customer!: OrderCustomerResponse | null;
  @ApiProperty({ ...nullableText, example: 'cart-4711' }) reference!: string | null;
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } }) metadata!: Record<string, string>;
  @ApiProperty({ ...nullableText, description: 'Lets a browser read this order' }) clientSecret!: string | null;
  @ApiProperty({ enum: ['automatic', 'manual'] }) captureMethod!: string;
  @ApiProperty({ enum: ['elements', 'hosted'] }) checkout!: string;
  @ApiProperty({ type: PaymentResponse }) payment!: PaymentResponse;
  @ApiProperty({ type: DisputeResponse, nullable: true }) dispute!: DisputeResponse | null;
  @ApiProperty({ format: 'date-time' }) createdAt!: string;
  @ApiProperty({ format: 'date-time' }) updatedAt!: string;
  @ApiProperty({ format: 'date-time' }) expiresAt!: string;
}

/** A page of orders. */
export class OrderListResponse {
  @ApiProperty({ enum: ['list'] }) object!: 'list';
  @ApiProperty({ type: [OrderResponse] }) data!: OrderResponse[];
  @ApiProperty() hasMore!: boolean;
  @ApiProperty({ ...nullableText, description: 'The value for startingAfter' }) nextCursor!: string | null;
}

class OrderEventResponse {
  @ApiProperty({ example: 'oev_01kax3k6wbf3e9tmgb0jv3c2q4' }) id!: string;
  @ApiProperty({ example: 'order.paid' }) type!: string;
  @ApiProperty({ format: 'date-time' }) at!: string;
  @ApiProperty({ example: 'operation:op_01kax3k6wbf3e9tmgb0jv3c2q4' }) cause!: string;
  @ApiProperty({ type: 'object', additionalProperties: true }) data!: Record<string, unknown>;
}

/** An order's timeline. */
export class OrderEventsResponse {
  @ApiProperty({ enum: ['list'] }) object!: 'list';
  @ApiProperty({ type: [OrderEventResponse] }) data!: OrderEventResponse[];
  @ApiProperty() hasMore!: boolean;
  @ApiProperty(nullableText) nextCursor!: string | null;
}
