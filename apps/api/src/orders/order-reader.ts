import { timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { findOrder, findRefund, type FoundRefund, type Order, type Orders, viewOrder, viewRefund } from '#libs/orders';
import { DomainError, uuidOf } from '#libs/primitives';
import { type Caller } from '../callers/caller.js';
import { type Snapshot } from '../http/prefer-wait.js';
import { ORDERS } from '../tokens.js';

/** Reads orders and refunds for whoever may see them. */
@Injectable()
export class OrderReader {
  constructor(@Inject(ORDERS) private readonly orders: Orders) {}

  /** An order of the caller's account by its public id. Throws DomainError not_found. */
  async find(caller: Caller, id: string): Promise<Order> {
    const order = await findOrder(this.orders.database.autocommit, caller, orderUuid(id));
    if (order === null) throw noSuchOrder();
    return order;
  }

  /**
   * An order for whoever may look at it: a publishable caller is a browser and has the order's client secret. Throws DomainError not_found.
   */
  async findFor(caller: Caller, id: string, clientSecret: string | string[] | undefined): Promise<Order> {
    const order = await this.find(caller, id);
    if (caller.audience === 'publishable' && !isSame(order.clientSecret, clientSecret)) throw noSuchOrder();
    return order;
  }

  /** The order as it is answered; settled once it has left pending and processing and nothing is ordered. */
  async lookAt(caller: Caller, id: string): Promise<Snapshot> {
    const order = await this.find(caller, id);
    const view = this.view(order, true);
    return {
      of: { orderId: order.id, version: order.version },
      body: JSON.stringify(view),
      isSettled: view.status !== 'pending' && view.status !== 'processing' && view.payment.pendingOperation === null,
    };
  }

  /** A refund of the caller's account by its public id. Throws DomainError not_found. */
  async findRefund(caller: Caller, id: string): Promise<FoundRefund> {
    const uuid = uuidOf('ref', id);
    const refund = uuid === null ? null : await findRefund(this.orders.database.autocommit, caller, uuid);
    if (refund === null) throw new DomainError('not_found', 'There is no refund with this id.');
    return refund;
  }

  /** The refund as it is answered; settled once it has left pending. */
  async lookAtRefund(caller: Caller, id: string): Promise<Snapshot> {
    const refund = await this.findRefund(caller, id);
    const view = viewRefund(refund);
    return {
      of: { orderId: refund.orderId, version: refund.orderVersion },
      body: JSON.stringify(view),
      isSettled: view.status !== 'pending',
    };
  }

  /** The public shape of an order. */
  view(order: Order, withSecrets: boolean) {
    return viewOrder(order, { stripePublishableKey: this.orders.stripePublishableKey, withSecrets });
  }
}

/** The database id in a path. Throws DomainError not_found: an id that is malformed names nothing. */
export function orderUuid(id: string): string {
  const uuid = uuidOf('ord', id);
  if (uuid === null) throw noSuchOrder();
  return uuid;
}

/** The same for an order of another account and for a wrong secret: nothing tells them apart. */
function noSuchOrder(): DomainError {
  return new DomainError('not_found', 'There is no order with this id.');
}

function isSame(secret: string, given: string | string[] | undefined): boolean {
  if (typeof given !== 'string') return false;
  const [a, b] = [Buffer.from(secret), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The id at the end of a Location. */
export function idIn(location: string): string {
  return location.slice(location.lastIndexOf('/') + 1);
}
