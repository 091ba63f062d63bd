import { type Database } from '#libs/database';
import { type Clock, type Entropy } from '#libs/primitives';
import { type Logger } from '#libs/telemetry';
import { type StripeGateway } from './stripe/stripe-gateway.js';

/** What the functions of this lib work with. */
export interface Payments {
  readonly database: Database;
  readonly gateway: StripeGateway;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly logger: Logger;
}
