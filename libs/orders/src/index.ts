export { createOrder, type Orders } from './create-order.js';
export { type Order, type Orderer, type OrderRequest, type RequestedItem } from './order.js';
export { type OrderView, viewOrder } from './order-view.js';
export { findOrder, listOrders, loadTimeline, type OrderFilter, type TimelineLine } from './orders.store.js';
export { listPrices, type Price, putPrice } from './prices.store.js';
