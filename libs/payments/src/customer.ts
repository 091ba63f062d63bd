import { publicId } from '#libs/primitives';
import { type CreateCustomerParams } from './stripe/stripe-gateway.js';
import { METADATA } from './stripe/stripe-objects.js';

/** What Stripe said of a Customer. */
export interface CustomerObservation {
  readonly id: string;
  /** Our metadata; null on a customer that is not of our making. */
  readonly operationId: string | null;
}

/** The parameters of the customer who is to keep the card that an order is paid with. Source: docs.stripe.com/api/customers/create. */
export function customerParams(request: {
  instance: string;
  orderId: string;
  operationId: string;
  email: string;
  name: string | null;
}): CreateCustomerParams & { email: string } {
  return {
    email: request.email,
    ...(request.name === null ? {} : { name: request.name }),
    metadata: {
      [METADATA.instance]: request.instance,
      [METADATA.order]: publicId('ord', request.orderId),
      [METADATA.operation]: publicId('op', request.operationId),
    },
  };
}
