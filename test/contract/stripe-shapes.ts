import type { Stripe } from 'stripe';

/**
 * What the pinned client's own types say crosses the wire. Nothing here runs: the contract tests read these types and hold
 * every real answer and request against them.
 */

/**
 * What each route answers with 200, and with everything else: `refusal`. To a publishable key, `in a browser`, Stripe shows only
 * part of an intent. Source: docs.stripe.com/api/payment_intents/retrieve
 */
export interface Answers {
  'GET /v1/account': Stripe.Account;
  'GET /v1/accounts/:id': Stripe.Account;
  'GET /v1/balance': Stripe.Balance;
  'GET /v1/balance_transactions': Stripe.ApiList<Stripe.BalanceTransaction>;
  'GET /v1/balance_transactions/:id': Stripe.BalanceTransaction;
  'GET /v1/charges': Stripe.ApiList<Stripe.Charge>;
  'GET /v1/charges/:id': Stripe.Charge;
  'POST /v1/charges/:id': Stripe.Charge;
  'GET /v1/checkout/sessions': Stripe.ApiList<Stripe.Checkout.Session>;
  'POST /v1/checkout/sessions': Stripe.Checkout.Session;
  'GET /v1/checkout/sessions/:id': Stripe.Checkout.Session;
  'POST /v1/checkout/sessions/:id': Stripe.Checkout.Session;
  'POST /v1/checkout/sessions/:id/expire': Stripe.Checkout.Session;
  'GET /v1/checkout/sessions/:id/line_items': Stripe.ApiList<Stripe.LineItem>;
  'GET /v1/customers': Stripe.ApiList<Stripe.Customer>;
  'POST /v1/customers': Stripe.Customer;
  'GET /v1/customers/:id': Stripe.Customer | Stripe.DeletedCustomer;
  'POST /v1/customers/:id': Stripe.Customer;
  'DELETE /v1/customers/:id': Stripe.DeletedCustomer;
  'GET /v1/customers/:id/payment_methods': Stripe.ApiList<Stripe.PaymentMethod>;
  'GET /v1/customers/:id/payment_methods/:id': Stripe.PaymentMethod;
  'GET /v1/disputes': Stripe.ApiList<Stripe.Dispute>;
  'GET /v1/disputes/:id': Stripe.Dispute;
  'POST /v1/disputes/:id': Stripe.Dispute;
  'POST /v1/disputes/:id/close': Stripe.Dispute;
  'GET /v1/events': Stripe.ApiList<Envelope>;
  'GET /v1/events/:id': Envelope;
  'GET /v1/payment_intents': Stripe.ApiList<Stripe.PaymentIntent>;
  'POST /v1/payment_intents': Stripe.PaymentIntent;
  'GET /v1/payment_intents/search': Stripe.ApiSearchResult<Stripe.PaymentIntent>;
  'GET /v1/payment_intents/:id': Stripe.PaymentIntent;
  'GET /v1/payment_intents/:id in a browser': Partial<Stripe.PaymentIntent>;
  'POST /v1/payment_intents/:id': Stripe.PaymentIntent;
  'POST /v1/payment_intents/:id/cancel': Stripe.PaymentIntent;
  'POST /v1/payment_intents/:id/capture': Stripe.PaymentIntent;
  'POST /v1/payment_intents/:id/confirm': Stripe.PaymentIntent;
  'POST /v1/payment_intents/:id/confirm in a browser': Partial<Stripe.PaymentIntent>;
  'GET /v1/payment_methods': Stripe.ApiList<Stripe.PaymentMethod>;
  'POST /v1/payment_methods': Stripe.PaymentMethod;
  'POST /v1/payment_methods in a browser': Stripe.PaymentMethod;
  'GET /v1/payment_methods/:id': Stripe.PaymentMethod;
  'POST /v1/payment_methods/:id': Stripe.PaymentMethod;
  'POST /v1/payment_methods/:id/attach': Stripe.PaymentMethod;
  'POST /v1/payment_methods/:id/detach': Stripe.PaymentMethod;
  'GET /v1/refunds': Stripe.ApiList<Stripe.Refund>;
  'POST /v1/refunds': Stripe.Refund;
  'GET /v1/refunds/:id': Stripe.Refund;
  'POST /v1/refunds/:id': Stripe.Refund;
  'POST /v1/refunds/:id/cancel': Stripe.Refund;
  'GET /v1/setup_intents': Stripe.ApiList<Stripe.SetupIntent>;
  'POST /v1/setup_intents': Stripe.SetupIntent;
  'GET /v1/setup_intents/:id': Stripe.SetupIntent;
  'GET /v1/setup_intents/:id in a browser': Partial<Stripe.SetupIntent>;
  'POST /v1/setup_intents/:id': Stripe.SetupIntent;
  'POST /v1/setup_intents/:id/cancel': Stripe.SetupIntent;
  'POST /v1/setup_intents/:id/confirm': Stripe.SetupIntent;
  'POST /v1/setup_intents/:id/confirm in a browser': Partial<Stripe.SetupIntent>;
  'GET /v1/webhook_endpoints': Stripe.ApiList<Stripe.WebhookEndpoint>;
  'POST /v1/webhook_endpoints': Stripe.WebhookEndpoint;
  'GET /v1/webhook_endpoints/:id': Stripe.WebhookEndpoint;
  'POST /v1/webhook_endpoints/:id': Stripe.WebhookEndpoint;
  'DELETE /v1/webhook_endpoints/:id': Stripe.DeletedWebhookEndpoint;
  refusal: { error: ApiError };
}

/** The events about what we speak of with Stripe, each with its own object in `data`. */
export type Events = { [E in Extract<Stripe.Event, { type: EventTypes }> as E['type']]: E };

/** The parameters of what we send, or are about to. */
export interface Requests {
  'GET /v1/account': Stripe.AccountRetrieveCurrentParams;
  'POST /v1/checkout/sessions': Stripe.Checkout.SessionCreateParams;
  'POST /v1/checkout/sessions/:id/expire': Stripe.Checkout.SessionExpireParams;
  'GET /v1/checkout/sessions': Stripe.Checkout.SessionListParams;
  'GET /v1/checkout/sessions/:id': Stripe.Checkout.SessionRetrieveParams;
  'GET /v1/charges': Stripe.ChargeListParams;
  'GET /v1/charges/:id': Stripe.ChargeRetrieveParams;
  'GET /v1/customers': Stripe.CustomerListParams;
  'POST /v1/customers': Stripe.CustomerCreateParams;
  'POST /v1/customers/:id': Stripe.CustomerUpdateParams;
  'GET /v1/disputes': Stripe.DisputeListParams;
  'GET /v1/disputes/:id': Stripe.DisputeRetrieveParams;
  'GET /v1/events': Stripe.EventListParams;
  'GET /v1/events/:id': Stripe.EventRetrieveParams;
  'GET /v1/payment_intents': Stripe.PaymentIntentListParams;
  'POST /v1/payment_intents': Stripe.PaymentIntentCreateParams;
  'GET /v1/payment_intents/:id': Stripe.PaymentIntentRetrieveParams;
  'POST /v1/payment_intents/:id': Stripe.PaymentIntentUpdateParams;
  'POST /v1/payment_intents/:id/cancel': Stripe.PaymentIntentCancelParams;
  'POST /v1/payment_intents/:id/capture': Stripe.PaymentIntentCaptureParams;
  'POST /v1/payment_intents/:id/confirm': Stripe.PaymentIntentConfirmParams;
  'POST /v1/payment_methods/:id/attach': Stripe.PaymentMethodAttachParams;
  'GET /v1/refunds': Stripe.RefundListParams;
  'POST /v1/refunds': Stripe.RefundCreateParams;
  'GET /v1/refunds/:id': Stripe.RefundRetrieveParams;
  'POST /v1/refunds/:id/cancel': Stripe.RefundCancelParams;
  'POST /v1/webhook_endpoints': Stripe.WebhookEndpointCreateParams;
}

/** Of an error on the wire this is the only full declaration. */
type ApiError = Omit<Stripe.PaymentIntent.LastPaymentError, 'code'> & {
  code?: Stripe.PaymentIntent.LastPaymentError.Code | DocumentedCode;
};

/** Codes that Stripe documents and the client does not list. Source: Stripe's API changelog, 2026-09-30.endive */
type DocumentedCode = 'payment_method_types_no_longer_supported';

/** What every event has in common. Its `data` depends on its type: see Events. */
type Envelope = Omit<Stripe.EventBase, 'data'> & { data: unknown };

type EventTypes =
  | `charge.${string}`
  | `checkout.session.${string}`
  | `customer.${'created' | 'updated' | 'deleted'}`
  | `payment_intent.${string}`
  | `payment_method.${string}`
  | `refund.${string}`
  | `setup_intent.${string}`;
