import { Inject, Injectable } from '@nestjs/common';
import { findOrder, findRefund, type Order, type Orders, type Refund, viewOrder, viewRefund } from '#libs/orders';
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

  /** The order as it is answered; settled once it has left pending and processing and nothing is ordered. */
  async lookAt(caller: Caller, id: string): Promise<Snapshot> {
    const view = this.view(await this.find(caller, id), true);
    return {
      body: JSON.stringify(view),
      isSettled: view.status !== 'pending' && view.status !== 'processing' && view.payment.pendingOperation === null,
    };
  }

  /** A refund of the caller's account by its public id. Throws DomainError not_found. */
  async findRefund(caller: Caller, id: string): Promise<Refund> {
    const uuid = uuidOf('ref', id);
    const refund = uuid === null ? null : await findRefund(this.orders.database.autocommit, caller, uuid);
    if (refund === null) throw new DomainError('not_found', 'There is no refund with this id.');
    return refund;
  }

  /** The refund as it is answered; settled once it has left pending. */
  async lookAtRefund(caller: Caller, id: string): Promise<Snapshot> {
    const view = viewRefund(await this.findRefund(caller, id));
    return { body: JSON.stringify(view), isSettled: view.status !== 'pending' };
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
export function noSuchOrder(): DomainError {
  return new DomainError('not_found', 'There is no order with this id.');
}

/** The id at the end of a Location. */
export function idIn(location: string): string {
  return location.slice(location.lastIndexOf('/') + 1);
}
