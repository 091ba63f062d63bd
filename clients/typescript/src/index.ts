export { Checkout, type WaitOptions } from './checkout.js';
export { type FieldError, NoAnswerError, type ProblemCode, ProblemError, UnexpectedAnswerError } from './errors.js';
export { type DeedOptions, Oncepay, type OncepayOptions } from './oncepay.js';
export {
  type CaptureRequest,
  hasOutcome,
  isSettled,
  type Order,
  type OrderRequest,
  type OrderStatus,
  type PayRequest,
  type Price,
  type Refund,
  type RefundRequest,
} from './order.js';
export { type KeyStorage, memoryStorage } from './storage.js';
