import { isOpen, runsBeside, type OrderStatus, type PaymentState } from '#libs/payments';
import { currencyRule, DomainError, type ErrorCode, formatAmount } from '#libs/primitives';

/** From these no order comes back; a refusal because of one is stored. */
const FINAL: readonly OrderStatus[] = ['refunded', 'canceled', 'expired', 'failed'];
const PAID: readonly OrderStatus[] = ['paid', 'partially_refunded', 'refunded'];
const UNPAID_FOR_EVER: readonly OrderStatus[] = ['canceled', 'expired', 'failed'];

/** Lets an order be paid again when its buyer is asked for another payment method. Throws DomainError. */
export function assertPayable(payment: PaymentState): void {
  assertNothingOpen(payment);
  if (payment.checkout === 'hosted')
    throw new DomainError('order_not_payable', 'The order is paid on the page of its Checkout Session: payment.url.', { isFinal: true });
  if (payment.orderStatus !== 'requires_payment')
    throw refusal(payment, 'order_not_payable', 'can be paid only while it requires payment', [...FINAL, ...PAID]);
}

/** Lets authorised money be captured, once, in full or in part. Throws DomainError. */
export function assertCapturable(payment: PaymentState, amount: number | null): void {
  assertWholeSteps(payment, amount);
  assertNothingOpen(payment);
  if (payment.orderStatus !== 'authorized')
    throw refusal(payment, 'order_not_capturable', 'can be captured only while it is authorized', [...FINAL, ...PAID]);
  if (amount !== null && amount > payment.amount)
    throw badAmount(`must not be more than the authorised ${formatAmount(payment.amount, payment.currency)}`);
}

/** Lets an order be canceled that nobody has paid. Throws DomainError. */
export function assertCancelable(payment: PaymentState): void {
  const cancelable: readonly OrderStatus[] = ['requires_payment', 'requires_action', 'authorized'];
  assertNothingOpen(payment);
  if (!cancelable.includes(payment.orderStatus)) throw refusal(payment, 'order_not_cancelable', 'cannot be canceled', [...FINAL, ...PAID]);
}

/**
 * Lets captured money be returned, as far as it is neither returned nor on its way. The answer is the amount; without
 * one, all that is left. Throws DomainError.
 */
export function refundableAmount(payment: PaymentState, amount: number | null): number {
  assertWholeSteps(payment, amount);
  if (!PAID.includes(payment.orderStatus)) {
    // What is under way may be what captures the money.
    if (!UNPAID_FOR_EVER.includes(payment.orderStatus)) assertNothingOpen(payment);
    throw refusal(payment, 'order_not_refundable', 'has no captured money to return', UNPAID_FOR_EVER);
  }
  const left = payment.amountCaptured - payment.amountRefunded - payment.amountRefundPending;
  const wanted = amount ?? left;
  if (wanted > left || left <= 0) {
    // A refund may still fail, and what it held becomes free again.
    throw new DomainError(
      'refund_exceeds_captured',
      `Of ${formatAmount(payment.amountCaptured, payment.currency)} captured, ${formatAmount(left, payment.currency)} are neither refunded nor pending.`,
    );
  }
  return wanted;
}

/** Whether an operation on the payment is queued, in flight, unknown or parked; refunds run beside the others. */
export function hasOpenOperation({ operations }: PaymentState): boolean {
  return operations.some(({ kind, status }) => !runsBeside(kind) && isOpen(status));
}

function assertNothingOpen(payment: PaymentState): void {
  if (hasOpenOperation(payment)) {
    throw new DomainError('operation_in_progress', 'An operation on the payment is under way; its outcome decides what can be done.', {
      retryAfterSeconds: 1,
    });
  }
}

/** Some currencies are sent with more decimals than they have: Stripe takes what is charged, captured and returned in steps. */
function assertWholeSteps({ currency }: PaymentState, amount: number | null): void {
  const step = currencyRule(currency)?.step ?? 1;
  if (amount !== null && amount % step !== 0) throw badAmount(`must be a multiple of ${step} in ${currency}`);
}

function badAmount(message: string): DomainError {
  return new DomainError('validation_failed', `amount ${message}`, { errors: [{ field: 'amount', message }] });
}

function refusal({ orderStatus }: PaymentState, code: ErrorCode, rule: string, finalFrom: readonly OrderStatus[]): DomainError {
  return new DomainError(code, `The order is ${orderStatus}; it ${rule}.`, { isFinal: finalFrom.includes(orderStatus) });
}
