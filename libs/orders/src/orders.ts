import { type Database } from '#libs/database';
import { type OutboxBell } from '#libs/jobs';
import { type Clock, type Entropy } from '#libs/primitives';
import { type Turns } from './turns.js';

/** What the functions of this lib work with. */
export interface Orders {
  readonly database: Database;
  readonly bell: Pick<OutboxBell, 'ring'>;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly instance: string;
  readonly stripePublishableKey: string | null;
  readonly expiresAfterSeconds: number;
  /** By order: commands on one wait for each other here, not in the database. */
  readonly turns: Turns;
}
