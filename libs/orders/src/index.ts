export { cancelOrder, captureOrder, type OrderCommand, payOrder, refundOrder, type RefundReason } from './command-order.js';
export { createOrder } from './create-order.js';
export { expireOrders } from './expire-orders.js';
export { type Order, type Orderer, type OrderRequest, type RequestedItem } from './order.js';
export { viewOrder } from './order-view.js';
export { type Orders } from './orders.js';
export {
  findOrder,
  findRefund,
  firstOrderAt,
  type FoundRefund,
  listOrders,
  listRefunds,
  loadTimeline,
  type OrderFilter,
  ordersOfOthers,
  readVersions,
  type TimelineLine,
} from './orders.store.js';
export { listPrices, type Price, putPrice } from './prices.store.js';
export { type Refund, viewRefund } from './refund-view.js';
export { Turns } from './turns.js';
