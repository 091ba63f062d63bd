import { ACCOUNT_ENDPOINTS } from '../accounts/endpoints.js';
import { BALANCE_ENDPOINTS } from '../balance/endpoints.js';
import { CHARGE_ENDPOINTS } from '../charges/endpoints.js';
import { CHECKOUT_ENDPOINTS } from '../checkout/endpoints.js';
import { CUSTOMER_ENDPOINTS } from '../customers/endpoints.js';
import { DISPUTE_ENDPOINTS } from '../disputes/endpoints.js';
import { EVENT_ENDPOINTS } from '../events/endpoints.js';
import { PAYMENT_INTENT_ENDPOINTS } from '../payment-intents/endpoints.js';
import { PAYMENT_METHOD_ENDPOINTS } from '../payment-methods/endpoints.js';
import { REFUND_ENDPOINTS } from '../refunds/endpoints.js';
import { SETUP_INTENT_ENDPOINTS } from '../setup-intents/endpoints.js';
import { WEBHOOK_ENDPOINT_ENDPOINTS } from '../webhooks/endpoints.js';
import type { Endpoint } from './endpoint.js';

/** Everything the simulator speaks of Stripe's API. */
export const ENDPOINTS: readonly Endpoint[] = [
  ...ACCOUNT_ENDPOINTS,
  ...BALANCE_ENDPOINTS,
  ...CHARGE_ENDPOINTS,
  ...CHECKOUT_ENDPOINTS,
  ...CUSTOMER_ENDPOINTS,
  ...DISPUTE_ENDPOINTS,
  ...EVENT_ENDPOINTS,
  ...PAYMENT_INTENT_ENDPOINTS,
  ...PAYMENT_METHOD_ENDPOINTS,
  ...REFUND_ENDPOINTS,
  ...SETUP_INTENT_ENDPOINTS,
  ...WEBHOOK_ENDPOINT_ENDPOINTS,
];
