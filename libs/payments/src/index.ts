export { type BreakerName, type BreakerCause, BREAKERS } from './gate/breaker.js';
export { type BreakerView, listBreakers } from './gate/breakers.store.js';
export { SharedGate } from './gate/stripe-gate.js';
export {
  cancelIntentParams,
  captureIntentParams,
  confirmIntentParams,
  createIntentParams,
  customerParams,
  type IntentRequest,
  refundParams,
} from './intent-request.js';
export { findRequest, observeEvent } from './observe-event.js';
export {
  hasDelayedOperations,
  hasOverdueOperations,
  lockUnclaimedOperations,
  releaseDelayedOperations,
  requeueOverdueOperations,
} from './operations.store.js';
export {
  listOpenOperations,
  type LoggedOperation,
  OPEN_STATUSES,
  operationsOfOthers,
  retryParkedOperation,
} from './operation-log.store.js';
export { PAYMENT_TRANSITIONS } from './observation.js';
export { ORDER_STATUS_RULES, ORDER_TRANSITIONS, pendingOperationOf } from './order-status.js';
export {
  type Checkout,
  isOpen,
  type NextAction,
  type OperationFacts,
  OPERATION_KINDS,
  type OperationKind,
  ORDER_STATUSES,
  type OrderedBy,
  type OrderStatus,
  PAYMENT_STATUSES,
  type PaymentError,
  type PaymentState,
  type PaymentStatus,
  type RefundFacts,
  runsBeside,
} from './payment.js';
export { isPassing } from './passing-failure.js';
export { type Move, type NewOperation, planChange, type TimelineEntry } from './payment-change.js';
export { type Payments } from './payments.js';
export { commitChange, lockPayment, recordDiscrepancy } from './payments.store.js';
export { runReconciliation } from './reconcile.js';
export { type Difference, type ReconciliationReport, type Remedy } from './reconciliation-report.js';
export {
  hasOverdueReconciliations,
  isReconciling,
  loadReconciliation,
  type Reconciliation,
  type ReconciliationRequest,
  requestReconciliation,
  requeueOverdueReconciliations,
} from './reconciliations.store.js';
export { runOperation, stripeIdempotencyKey } from './run-operation.js';
export { cancelParams, createSessionParams, HOSTED_LIFE_SECONDS_MAX, type SessionRequest } from './session-request.js';
export { findAccountId } from './stripe-account.store.js';
export { AccountGate, assertOurMode, fingerprintOf, learnAccount } from './stripe-account.js';
export { StripeFailure } from './stripe/stripe-failure.js';
export { StripeGateway } from './stripe/stripe-gateway.js';
export { type SignedEvent, verifyWebhook } from './stripe/stripe-webhooks.js';
